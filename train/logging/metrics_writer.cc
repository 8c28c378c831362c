#include "mask2former/train/logging/metrics_writer.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

using ::nlohmann::json;
using ::nlohmann::ordered_json;

constexpr char kIteration[] = "iteration";

ordered_json ToJson(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

bool Stays(absl::string_view line, int64_t resume_after) {
  const json parsed = json::parse(line.begin(), line.end(), nullptr,
                                  /*allow_exceptions=*/false);
  if (!parsed.is_object()) return true;
  const auto iteration = parsed.find(kIteration);
  return iteration == parsed.end() || !iteration->is_number() ||
         iteration->get<double>() <= static_cast<double>(resume_after);
}

// The whole lines of `text` that stay.
std::string Keep(absl::string_view text, int64_t resume_after) {
  std::string kept;
  const size_t end = text.rfind('\n');
  if (end == absl::string_view::npos) return kept;
  for (absl::string_view line : absl::StrSplit(text.substr(0, end), '\n')) {
    if (Stays(line, resume_after)) absl::StrAppend(&kept, line, "\n");
  }
  return kept;
}

absl::Status Failed(absl::string_view verb, const std::string& path,
                    int error) {
  return absl::Status(
      absl::ErrnoToStatusCode(error),
      absl::StrCat("cannot ", verb, " \"", path, "\": ", std::strerror(error)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsWriter>> MetricsWriter::Create(
    const std::string& path, std::optional<int64_t> resume_after) {
  if (FileExists(path)) {
    M2F_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    if (resume_after.has_value()) {
      const std::string kept = Keep(text, *resume_after);
      if (kept != text) M2F_RETURN_IF_ERROR(WriteFileAtomically(path, kept));
    } else if (!text.empty()) {
      return absl::AlreadyExistsError(
          absl::StrCat("\"", path,
                       "\" holds the metrics of another run; continue that "
                       "run, or choose another folder"));
    }
  }
  std::FILE* file = std::fopen(path.c_str(), "a");
  if (file == nullptr) return Failed("open", path, errno);
  return std::unique_ptr<MetricsWriter>(new MetricsWriter(path, file));
}

absl::Status MetricsWriter::Write(int64_t iteration, const Metrics& metrics) {
  ordered_json line = {{kIteration, iteration}};
  for (const auto& [name, value] : metrics) {
    if (line.contains(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("metric \"", name, "\" is given twice"));
    }
    line[name] = ToJson(value);
  }
  const std::string text = line.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false,
                                     ordered_json::error_handler_t::replace) +
                           "\n";
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
      std::fflush(file_.get()) != 0) {
    return Failed("write", path_, errno);
  }
  return absl::OkStatus();
}

}  // namespace mask2former
