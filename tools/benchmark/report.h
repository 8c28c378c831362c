#ifndef MASK2FORMER_TOOLS_BENCHMARK_REPORT_H_
#define MASK2FORMER_TOOLS_BENCHMARK_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "mask2former/tools/benchmark/pipeline.h"

namespace mask2former {

// One row of the table.
struct StageReport {
  std::string name;
  double p50_ms = 0;
  double p95_ms = 0;
  double min_ms = 0;
  double cpu_ms = 0;            // Median.
  double gflop = 0;             // 0: does no counted work.
  double gflop_per_second = 0;  // At the median time.
  double share_of_limit = 0;    // Of BenchmarkReport::limit.
};

struct BenchmarkReport {
  std::string config;
  std::string device;
  std::string precision;
  std::string tf32;  // "none", "convolutions" or "all"; "none" on a CPU.
  int64_t height = 0;
  int64_t width = 0;
  int64_t batch = 0;
  int threads = 0;
  int64_t rounds = 0;
  double limit = 0;              // GFLOP/s of a matrix product in the same run.
  std::string limit_arithmetic;  // Of that product: "float32", "TF32", ...
  double busy = 0;               // CPU time / (wall time * threads).
  int64_t peak_memory_bytes = 0;
  std::vector<StageReport> stages;  // Then "total".
};

// The smallest value that at least `share` of `values` do not exceed.
//
//   share  in (0, 1]: 0.5 is the lower median
double Quantile(std::vector<double> values, double share);

// Fills `stages` and `busy` from the runs, one vector of stages each.
//
//   runs    at least one, all with the same stages
//   counts  the run in which operations were counted
void Summarize(const std::vector<std::vector<StageTime>>& runs,
               const std::vector<StageTime>& counts, BenchmarkReport& report);

std::string TextReport(const BenchmarkReport& report);

std::string JsonReport(const BenchmarkReport& report);

// One run as a line of JSON, for tools/peers: {"forward_ms", "labels_ms",
// "cpu_ms", "stages_ms": {...}, "stages_cpu_ms": {...}}. forward is all but
// labels.
std::string RunLine(const std::vector<StageTime>& times);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_BENCHMARK_REPORT_H_
