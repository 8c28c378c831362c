#include "mask2former/tools/benchmark/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "mask2former/common/logging.h"

namespace mask2former {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kTotal[] = "total";

StageReport SummarizeStage(const std::string& name,
                           const std::vector<double>& wall,
                           const std::vector<double>& cpu, int64_t flops,
                           double limit) {
  StageReport stage;
  stage.name = name;
  stage.p50_ms = Quantile(wall, 0.5);
  stage.p95_ms = Quantile(wall, 0.95);
  stage.min_ms = *std::min_element(wall.begin(), wall.end());
  stage.cpu_ms = Quantile(cpu, 0.5);
  stage.gflop = 1e-9 * static_cast<double>(flops);
  if (stage.p50_ms > 0) {
    stage.gflop_per_second = 1e3 * stage.gflop / stage.p50_ms;
  }
  if (limit > 0) stage.share_of_limit = stage.gflop_per_second / limit;
  return stage;
}

}  // namespace

double Quantile(std::vector<double> values, double share) {
  CHECK(!values.empty());
  const size_t rank = static_cast<size_t>(
      std::ceil(share * static_cast<double>(values.size())));
  const size_t index = std::min(std::max<size_t>(rank, 1), values.size()) - 1;
  std::nth_element(values.begin(), values.begin() + index, values.end());
  return values[index];
}

void Summarize(const std::vector<std::vector<StageTime>>& runs,
               const std::vector<StageTime>& counts, BenchmarkReport& report) {
  CHECK(!runs.empty());
  std::vector<double> total_wall(runs.size()), total_cpu(runs.size());
  int64_t total_flops = 0;
  report.stages.clear();
  for (size_t s = 0; s < counts.size(); ++s) {
    std::vector<double> wall, cpu;
    for (size_t r = 0; r < runs.size(); ++r) {
      const StageTime& time = runs[r].at(s);
      CHECK_EQ(time.name, counts[s].name);
      wall.push_back(time.wall_ms);
      cpu.push_back(time.cpu_ms);
      total_wall[r] += time.wall_ms;
      total_cpu[r] += time.cpu_ms;
    }
    total_flops += counts[s].flops;
    report.stages.push_back(SummarizeStage(counts[s].name, wall, cpu,
                                           counts[s].flops, report.limit));
  }
  report.stages.push_back(
      SummarizeStage(kTotal, total_wall, total_cpu, total_flops, report.limit));
  double wall = 0, cpu = 0;
  for (size_t r = 0; r < runs.size(); ++r) {
    wall += total_wall[r];
    cpu += total_cpu[r];
  }
  report.busy = wall > 0 ? cpu / (wall * std::max(report.threads, 1)) : 0;
}

std::string TextReport(const BenchmarkReport& report) {
  std::string text = absl::StrFormat(
      "%s\n%d x %d x %d, %s, %s, %d CPU threads, %d rounds\n"
      "limit: %.0f GFLOP/s, a square matrix product in %s in this run; peak "
      "memory %.0f MiB; cores busy %.0f %%\n\n",
      report.config, report.batch, report.height, report.width, report.device,
      report.precision, report.threads, report.rounds, report.limit,
      report.limit_arithmetic,
      static_cast<double>(report.peak_memory_bytes) / (1 << 20),
      100 * report.busy);
  absl::StrAppendFormat(&text, "%-20s %10s %10s %10s %10s %9s %9s %6s\n", "ms",
                        "p50", "p95", "min", "CPU", "GFLOP", "GFLOP/s",
                        "limit");
  for (const StageReport& stage : report.stages) {
    absl::StrAppendFormat(&text, "%-20s %10.2f %10.2f %10.2f %10.2f",
                          stage.name, stage.p50_ms, stage.p95_ms, stage.min_ms,
                          stage.cpu_ms);
    if (stage.gflop > 0) {
      absl::StrAppendFormat(&text, " %9.2f %9.1f %5.0f%%", stage.gflop,
                            stage.gflop_per_second, 100 * stage.share_of_limit);
    }
    text += "\n";
  }
  absl::StrAppendFormat(
      &text, "\n%.2f images/s\n",
      1e3 * static_cast<double>(report.batch) / report.stages.back().p50_ms);
  return text;
}

std::string JsonReport(const BenchmarkReport& report) {
  Json stages = Json::array();
  for (const StageReport& stage : report.stages) {
    stages.push_back({{"name", stage.name},
                      {"p50_ms", stage.p50_ms},
                      {"p95_ms", stage.p95_ms},
                      {"min_ms", stage.min_ms},
                      {"cpu_ms", stage.cpu_ms},
                      {"gflop", stage.gflop},
                      {"gflop_per_second", stage.gflop_per_second},
                      {"share_of_limit", stage.share_of_limit}});
  }
  const Json json = {{"config", report.config},
                     {"device", report.device},
                     {"precision", report.precision},
                     {"tf32", report.tf32},
                     {"height", report.height},
                     {"width", report.width},
                     {"batch", report.batch},
                     {"threads", report.threads},
                     {"rounds", report.rounds},
                     {"limit_gflop_per_second", report.limit},
                     {"limit_arithmetic", report.limit_arithmetic},
                     {"busy", report.busy},
                     {"peak_memory_bytes", report.peak_memory_bytes},
                     {"stages", stages}};
  return json.dump(2, ' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace) +
         "\n";
}

std::string RunLine(const std::vector<StageTime>& times) {
  double forward = 0, results = 0, cpu = 0;
  Json walls = Json::object(), cpus = Json::object();
  for (const StageTime& time : times) {
    const bool is_result = time.name == "labels" || time.name == "segments" ||
                           time.name == "instances";
    (is_result ? results : forward) += time.wall_ms;
    cpu += time.cpu_ms;
    walls[time.name] = time.wall_ms;
    cpus[time.name] = time.cpu_ms;
  }
  return Json({{"forward_ms", forward},
               {"labels_ms", results},
               {"cpu_ms", cpu},
               {"stages_ms", walls},
               {"stages_cpu_ms", cpus}})
      .dump();
}

}  // namespace mask2former
