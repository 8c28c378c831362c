#include "mask2former/tools/counters/flop_counter.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>

namespace mask2former {
namespace {

std::atomic<int64_t> g_count{0};
std::atomic<int64_t> g_sampling{0};
std::atomic<int64_t> g_activations{0};

using Values = c10::ArrayRef<const c10::IValue>;

bool AreTensors(Values values, size_t count) {
  if (values.size() < count) return false;
  for (size_t i = 0; i < count; ++i) {
    if (!values[i].isTensor() || !values[i].toTensor().defined()) return false;
  }
  return true;
}

// [..., m, k] x [..., k, n]
int64_t Product(const at::Tensor& a, const at::Tensor& b) {
  return 2 * a.numel() * b.size(-1);
}

// For each output element. The weight is [O, I / g, ...], the second argument,
// or the third where something is added to the result.
int64_t Convolution(const at::RecordFunction& call) {
  const auto name = call.operator_name();
  const bool adds = name.has_value() && name->overload_name == "binary";
  if (!AreTensors(call.inputs(), adds ? 3 : 2)) return 0;
  const at::Tensor weight = call.inputs()[adds ? 2 : 1].toTensor();
  return 2 * (weight.numel() / weight.size(0));
}

int64_t MatrixProduct(const at::RecordFunction& call) {
  const Values in = call.inputs();
  return AreTensors(in, 2) ? Product(in[0].toTensor(), in[1].toTensor()) : 0;
}

// Of the second and third argument, added to the first.
int64_t AddedProduct(const at::RecordFunction& call) {
  const Values in = call.inputs();
  return AreTensors(in, 3) ? Product(in[1].toTensor(), in[2].toTensor()) : 0;
}

// x [..., I], weight [O, I]
int64_t Linear(const at::RecordFunction& call) {
  const Values in = call.inputs();
  return AreTensors(in, 2)
             ? 2 * in[0].toTensor().numel() * in[1].toTensor().size(0)
             : 0;
}

// q [B, M, Q, D], k [B, M, S, D]: two products.
int64_t Attention(const at::RecordFunction& call) {
  const Values in = call.inputs();
  return AreTensors(in, 2)
             ? 4 * in[0].toTensor().numel() * in[1].toTensor().size(-2)
             : 0;
}

// Four corners of each sample, D channels. Argument `weights`, of the samples'
// weights or logits, has a number for each sample.
template <size_t weights>
int64_t DeformableAttention(const at::RecordFunction& call) {
  const Values in = call.inputs();
  if (in.size() <= weights || !in[0].isTensor() || !in[weights].isTensor()) {
    return 0;
  }
  return 8 * in[weights].toTensor().numel() * in[0].toTensor().size(-1);
}

// Four corners for each number that is read.
int64_t PointSampling(const at::RecordFunction& /*call*/) { return 8; }

// qkv [B, H, W, 3 C], padded to whole windows; each of a window's T positions
// with each.
int64_t WindowAttention(const at::RecordFunction& call) {
  const Values in = call.inputs();
  if (!AreTensors(in, 3) || in.size() < 4 || !in[3].isInt()) return 0;
  const at::Tensor qkv = in[0].toTensor();
  const int64_t window = in[3].toInt();
  const auto padded = [&](int64_t size) {
    return (size + window - 1) / window * window;
  };
  return 4 * qkv.size(0) * padded(qkv.size(1)) * padded(qkv.size(2)) * window *
         window * (qkv.size(3) / 3);
}

struct Operator {
  int64_t (*flops)(const at::RecordFunction&);
  bool for_each_output = false;  // Else for the whole call.
  bool samples = false;
};

// One that calls another of this table, or itself once more for another
// dispatch key, is counted once: inner calls are not looked at.
const std::map<std::string, Operator>& Table() {
  static const auto* const table = new std::map<std::string, Operator>{
      {"aten::convolution", {Convolution, true}},
      {"mkldnn::_convolution_pointwise", {Convolution, true}},
      {"aten::mm", {MatrixProduct}},
      {"aten::bmm", {MatrixProduct}},
      {"aten::addmm", {AddedProduct}},
      {"aten::baddbmm", {AddedProduct}},
      {"aten::mkldnn_linear", {Linear}},
      {"mkldnn::_linear_pointwise", {Linear}},
      {"aten::_scaled_dot_product_flash_attention_for_cpu", {Attention}},
      {"aten::_scaled_dot_product_flash_attention", {Attention}},
      {"aten::_scaled_dot_product_efficient_attention", {Attention}},
      {"aten::_scaled_dot_product_cudnn_attention", {Attention}},
      {"mask2former::window_attention", {WindowAttention}},
      {"mask2former::ms_deform_attn", {DeformableAttention<3>, false, true}},
      {"mask2former::ms_deform_attn_fused",
       {DeformableAttention<4>, false, true}},
      {"mask2former::point_sample", {PointSampling, true, true}},
  };
  return *table;
}

// A call of an operator of the table.
struct Call : at::ObserverContext {
  int64_t flops_per_output = 0;
  bool counts = false;
  bool samples = false;
};

// Calls of the table that this thread is inside of.
thread_local int depth = 0;

// Inputs can be seen at the beginning only, outputs at the end only.
std::unique_ptr<at::ObserverContext> Begin(const at::RecordFunction& function) {
  const auto found = Table().find(function.name());
  if (found == Table().end()) return nullptr;
  auto call = std::make_unique<Call>();
  if (depth++ > 0) return call;
  call->counts = true;
  const int64_t flops = found->second.flops(function);
  if (found->second.for_each_output) {
    call->flops_per_output = flops;
  } else {
    g_count += flops;
  }
  call->samples = found->second.samples;
  if (call->samples && call->flops_per_output == 0) g_sampling += flops;
  return call;
}

void End(const at::RecordFunction& function, at::ObserverContext* context) {
  if (context == nullptr) return;
  --depth;
  const Call& call = *static_cast<const Call*>(context);
  if (!call.counts || function.outputs().empty()) return;
  const c10::IValue& output = function.outputs()[0];
  if (!output.isTensor() || !output.toTensor().defined()) return;
  const int64_t elements = output.toTensor().numel();
  g_count += call.flops_per_output * elements;
  if (call.samples) g_sampling += call.flops_per_output * elements;
  g_activations += elements;
}

}  // namespace

FlopCounter::FlopCounter() {
  g_count = 0;
  g_sampling = 0;
  g_activations = 0;
  handle_ = at::addGlobalCallback(at::RecordFunctionCallback(Begin, End)
                                      .needsInputs(true)
                                      .needsOutputs(true)
                                      .scopes({at::RecordScope::FUNCTION}));
}

FlopCounter::~FlopCounter() { at::removeCallback(handle_); }

int64_t FlopCounter::count() const { return g_count; }

int64_t FlopCounter::sampling() const { return g_sampling; }

int64_t FlopCounter::activations() const { return g_activations; }

}  // namespace mask2former
