#ifndef MASK2FORMER_PIXEL_DECODER_OPS_BENCHMARK_COMPARED_KERNELS_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_BENCHMARK_COMPARED_KERNELS_H_

// The pairs of kernels that ms_deform_attn_cuda_benchmark times, on one set of
// arguments, and a look whether the two of a pair compute the same. Knows no
// LibTorch.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mask2former/common/cuda/half.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_sizes.h"

namespace mask2former::ops {

// One encoder layer's deformable attention on an image with an aspect ratio of
// 1 : 2: levels of strides 32, 16 and 8, a query for each of their pixels; B =
// 1, M = 8, D = 32, P = 4. Reads as a trained model does: around the query's
// own place, up to a few pixels away. Numbers are such that bfloat16 holds
// them, so that both sides read the same.
//
// Device memory that is never given back: a program makes one of them.
struct ComparedArguments {
  explicit ComparedArguments(int64_t image_height);

  std::vector<int64_t> shapes;
  MsDeformAttnSizes sizes;
  // Read; also the same in bfloat16.
  float *value, *grad_output, *reference_points, *offsets, *logits, *locations,
      *weights;
  BFloat16 *half_value, *half_grad_output, *half_offsets, *half_logits;
  int64_t* device_shapes;
  // Written.
  float *output, *grad_value, *grad_locations, *grad_weights;
  BFloat16 *half_output, *half_grad_offsets, *half_grad_logits;
};

// What a side has computed, by name, as floats on the host.
using ComparedResults = std::map<std::string, std::vector<float>>;

// Two ways to compute one thing. Each queues its kernels.
struct ComparedPair {
  const char* name;
  void (*ours)(const ComparedArguments&);
  void (*theirs)(const ComparedArguments&);
  // Read off after a run of the side.
  ComparedResults (*our_results)(const ComparedArguments&);
  ComparedResults (*their_results)(const ComparedArguments&);
  // |ours - theirs| <= absolute + relative |theirs|
  float absolute, relative;
};

//   forward         float, locations and weights given, against the kernel with
//                   one thread per channel
//   fused_forward   bfloat16, offsets and logits given, against float
//                   locations, softmax and that kernel, one after another
//   backward        float, locations and weights given, against the kernel with
//                   one block per query and head
//   fused_backward  bfloat16, offsets and logits given, against float
//                   locations, softmax and that kernel; the way back through
//                   the softmax, which ours goes, is left out of theirs
//   deterministic   as backward, with a fixed order of additions
const std::vector<ComparedPair>& ComparedPairs();

// Runs both sides of a pair once. Empty if they give the same, but for one
// number in ten thousand: the gradient of a location jumps where a pixel ends.
// Else what differs, in words.
std::string FindDifferences(const ComparedArguments& a,
                            const ComparedPair& pair);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_BENCHMARK_COMPARED_KERNELS_H_
