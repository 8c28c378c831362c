#include "mask2former/data/class_map.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/dataset.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/palette_png.h"

namespace mask2former {
namespace {

constexpr int kValues = 1 << 16;
constexpr int16_t kNoClass = -1;
constexpr size_t kShown = 6;
constexpr int kGrayType = 0;
constexpr int kRgbType = 2;
constexpr int kPaletteType = 3;

absl::StatusOr<uint32_t> ParseColor(const std::string& text,
                                    absl::string_view field) {
  uint32_t color = 0;
  if (text.size() == 7 && text[0] == '#' &&
      absl::SimpleHexAtoi(text.substr(1), &color)) {
    return color;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "data.folder.", field,
      " must read like \"#804080\" (red, green, blue), is \"", text, "\""));
}

uint32_t ColorOf(const cv::Vec3b& rgb) {
  return uint32_t{rgb[0]} << 16 | uint32_t{rgb[1]} << 8 | rgb[2];
}

std::array<uint8_t, 3> Channels(uint32_t color) {
  return {static_cast<uint8_t>(color >> 16), static_cast<uint8_t>(color >> 8),
          static_cast<uint8_t>(color)};
}

// The colour of a class that has none: hues that go round by the golden ratio.
std::array<uint8_t, 3> DefaultColor(int number) {
  const double hue = std::fmod(0.6180339887498949 * number, 1.0);
  const double value = number % 2 == 0 ? 230 : 160;
  std::array<uint8_t, 3> color;
  for (int c = 0; c < 3; ++c) {
    // 1 at the channel's own hue, 0 from a third of the circle on.
    const double away = std::abs(std::fmod(hue - c / 3.0 + 1.5, 1.0) - 0.5);
    const double share = std::clamp(2 - 6 * away, 0.0, 1.0);
    color[c] = static_cast<uint8_t>(std::lround(value * (0.2 + 0.8 * share)));
  }
  return color;
}

// "#804080 (43.1 %), ...": the most frequent ones first.
template <typename Key, typename Format>
std::string Shares(const std::map<Key, int64_t>& counts, const Format& format) {
  int64_t total = 0;
  std::vector<std::pair<int64_t, Key>> sorted;
  for (const auto& [key, count] : counts) {
    total += count;
    sorted.emplace_back(-count, key);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(sorted.size(), kShown); ++i) {
    shown.push_back(
        absl::StrFormat("%s (%.1f %%)", format(sorted[i].second),
                        -100.0 * static_cast<double>(sorted[i].first) /
                            static_cast<double>(total)));
  }
  return absl::StrCat(absl::StrJoin(shown, ", "),
                      sorted.size() > kShown ? ", ..." : "");
}

std::string ColorText(uint32_t color) {
  return absl::StrFormat("#%06x", color);
}

std::string ColorShares(const cv::Mat& rgb) {
  std::map<uint32_t, int64_t> counts;
  for (int y = 0; y < rgb.rows; ++y) {
    const cv::Vec3b* row = rgb.ptr<cv::Vec3b>(y);
    for (int x = 0; x < rgb.cols; ++x) ++counts[ColorOf(row[x])];
  }
  return Shares(counts, ColorText);
}

std::map<int, int64_t> CountValues(const cv::Mat& values) {
  std::map<int, int64_t> counts;
  for (int y = 0; y < values.rows; ++y) {
    for (int x = 0; x < values.cols; ++x) {
      ++counts[values.depth() == CV_8U ? values.at<uint8_t>(y, x)
                                       : values.at<uint16_t>(y, x)];
    }
  }
  return counts;
}

std::string ValueText(int value) { return absl::StrCat(value); }

bool IsMaskOfTwoValues(const std::map<int, int64_t>& counts) {
  return counts.count(255) > 0 &&
         (counts.size() == 1 || (counts.size() == 2 && counts.count(0) > 0));
}

constexpr char kMaskAdvice[] =
    "a mask of 0 and 255: write classes { name: \"background\" values: 0 } "
    "classes { name: \"foreground\" values: 255 }";

// The answer to a file of another kind than the encoding says.
absl::Status WrongKind(const PngInfo& info, absl::string_view bytes,
                       absl::string_view name,
                       FolderData::LabelEncoding encoding) {
  const std::string found = absl::StrCat(
      name, " is ", Describe(info), ", but data.folder.", "label_encoding is ",
      FolderData::LabelEncoding_Name(encoding), ": ");
  if (info.color_type == kPaletteType) {
    return absl::InvalidArgumentError(absl::StrCat(
        found,
        "write label_encoding: PALETTE_INDICES if the numbers of its "
        "palette are the classes, or COLORS if its colours are"));
  }
  if (info.color_type == kRgbType && info.bit_depth == 8) {
    const auto rgb = DecodePng(bytes, PngFormat::kRgb8, name);
    if (!rgb.ok()) return rgb.status();
    return absl::InvalidArgumentError(absl::StrCat(
        found,
        "write label_encoding: COLORS and give each class its color. "
        "It holds ",
        ColorShares(*rgb)));
  }
  if (info.color_type == kGrayType && info.bit_depth >= 8) {
    return absl::InvalidArgumentError(
        absl::StrCat(found,
                     "write label_encoding: VALUES, and classes with "
                     "values instead of colors"));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      found,
      "save it as 8-bit gray (VALUES), palette (PALETTE_INDICES) or "
      "8-bit RGB (COLORS)"));
}

// Values or colours of a label image, as the encoding says.
absl::StatusOr<cv::Mat> DecodeRaw(absl::string_view bytes,
                                  absl::string_view name,
                                  FolderData::LabelEncoding encoding) {
  if (!absl::StartsWith(bytes, "\x89PNG")) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " is no PNG: labels must be; JPEG would change their values"));
  }
  M2F_ASSIGN_OR_RETURN(const PngInfo info, ParsePngInfo(bytes, name));
  const bool is_gray = info.color_type == kGrayType;
  const bool is_palette = info.color_type == kPaletteType;
  const bool is_rgb = info.color_type == kRgbType && info.bit_depth == 8;
  switch (encoding) {
    case FolderData::VALUES:
      if (is_gray && info.bit_depth == 8) {
        return DecodePng(bytes, PngFormat::kGray8, name);
      }
      if (is_gray && info.bit_depth == 16) {
        return DecodePng(bytes, PngFormat::kGray16, name);
      }
      if (is_gray) return DecodePaletteIndices(bytes, name);  // 1, 2, 4 bits.
      break;
    case FolderData::PALETTE_INDICES:
      if (is_palette) return DecodePaletteIndices(bytes, name);
      break;
    case FolderData::COLORS:
      if (is_rgb) return DecodePng(bytes, PngFormat::kRgb8, name);
      if (is_palette) return DecodePaletteColors(bytes, name);
      break;
  }
  return WrongKind(info, bytes, name, encoding);
}

absl::Status Unknown(absl::string_view name, int64_t count,
                     const cv::Point& first, const std::string& kind,
                     const std::string& found, const std::string& advice) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has ", count, " pixels, the first at (x, y) = (",
                   first.x, ", ", first.y, "), with ", kind,
                   " of no class; the file holds ", found, ". ", advice));
}

}  // namespace

absl::StatusOr<ClassMap> ClassMap::Create(const FolderData& config) {
  ClassMap map;
  map.encoding_ = config.label_encoding();
  if (config.classes_size() < 1 || config.classes_size() > kIgnoreLabel) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.folder.classes must be 1 .. 255, each with a name; "
                     "got ",
                     config.classes_size()));
  }
  M2F_RETURN_IF_ERROR(map.AddClasses(config));
  M2F_RETURN_IF_ERROR(map.encoding_ == FolderData::COLORS
                          ? map.AddColors(config)
                          : map.AddValues(config));
  return map;
}

absl::Status ClassMap::AddClasses(const FolderData& config) {
  for (int i = 0; i < config.classes_size(); ++i) {
    const FolderClass& c = config.classes(i);
    if (c.name().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("data.folder.classes[", i, "].name is not set"));
    }
    names_.push_back(c.name());
    is_thing_.push_back(c.is_thing());
    colors_.push_back(DefaultColor(i));
    // COLORS cannot do without.
    if (c.has_color() || encoding_ == FolderData::COLORS) {
      M2F_ASSIGN_OR_RETURN(
          const uint32_t color,
          ParseColor(c.color(), absl::StrCat("classes[", i, "].color")));
      colors_.back() = Channels(color);
    }
  }
  return absl::OkStatus();
}

absl::Status ClassMap::AddValues(const FolderData& config) {
  by_value_.assign(kValues, kNoClass);
  const auto add = [this](int64_t value, int train_id,
                          const std::string& field) {
    if (value < 0 || value >= kValues) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, " must be 0 .. ", kValues - 1, ", is ", value));
    }
    if (by_value_[value] != kNoClass) {
      return absl::InvalidArgumentError(absl::StrCat(
          field, " says ", value, ", which ",
          by_value_[value] == kIgnoreLabel
              ? "is ignored"
              : absl::StrCat("class \"", names_[by_value_[value]], "\" has"),
          " already"));
    }
    by_value_[value] = static_cast<int16_t>(train_id);
    return absl::OkStatus();
  };
  for (int i = 0; i < config.classes_size(); ++i) {
    const std::string field =
        absl::StrCat("data.folder.classes[", i, "].values");
    // Without values, a class's number is its value.
    if (config.classes(i).values().empty()) {
      M2F_RETURN_IF_ERROR(add(i, i, field));
    }
    for (const int value : config.classes(i).values()) {
      M2F_RETURN_IF_ERROR(add(value, i, field));
    }
  }
  for (const int value : config.ignore_values()) {
    M2F_RETURN_IF_ERROR(add(value, kIgnoreLabel, "data.folder.ignore_values"));
  }
  if (config.ignore_values().empty() && by_value_[kIgnoreLabel] == kNoClass) {
    by_value_[kIgnoreLabel] = kIgnoreLabel;
    ignores_255_by_default_ = true;
  }
  return absl::OkStatus();
}

absl::Status ClassMap::AddColors(const FolderData& config) {
  const auto add = [this](const std::string& text, int train_id,
                          const std::string& field) {
    M2F_ASSIGN_OR_RETURN(const uint32_t color, ParseColor(text, field));
    if (by_color_.emplace(color, static_cast<uint8_t>(train_id)).second) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "data.folder.", field, " says ", text, ", which is taken already"));
  };
  for (int i = 0; i < config.classes_size(); ++i) {
    M2F_RETURN_IF_ERROR(add(config.classes(i).color(), i,
                            absl::StrCat("classes[", i, "].color")));
  }
  for (const std::string& color : config.ignore_colors()) {
    M2F_RETURN_IF_ERROR(add(color, kIgnoreLabel, "ignore_colors"));
  }
  return absl::OkStatus();
}

absl::StatusOr<cv::Mat> ClassMap::Decode(absl::string_view bytes,
                                         absl::string_view name) const {
  M2F_ASSIGN_OR_RETURN(const cv::Mat raw, DecodeRaw(bytes, name, encoding_));
  cv::Mat label(raw.size(), CV_8UC1);
  int64_t unknown = 0;
  cv::Point first;
  const auto set = [&](int y, int x, int train_id) {
    if (train_id == kNoClass && unknown++ == 0) first = cv::Point(x, y);
    label.at<uint8_t>(y, x) = static_cast<uint8_t>(train_id);
  };
  if (encoding_ != FolderData::COLORS) {
    for (int y = 0; y < raw.rows; ++y) {
      for (int x = 0; x < raw.cols; ++x) {
        set(y, x,
            by_value_[raw.depth() == CV_8U ? raw.at<uint8_t>(y, x)
                                           : raw.at<uint16_t>(y, x)]);
      }
    }
    if (unknown == 0) return label;
    const std::map<int, int64_t> counts = CountValues(raw);
    return Unknown(name, unknown, first, "values", Shares(counts, ValueText),
                   IsMaskOfTwoValues(counts)
                       ? absl::StrCat("This is ", kMaskAdvice)
                       : "Name each value in a class's values or in "
                         "data.folder.ignore_values");
  }
  // Neighbours mostly have one colour.
  uint32_t last = 0;
  int last_id = kNoClass;
  for (int y = 0; y < raw.rows; ++y) {
    const cv::Vec3b* row = raw.ptr<cv::Vec3b>(y);
    for (int x = 0; x < raw.cols; ++x) {
      const uint32_t color = ColorOf(row[x]);
      if (last_id == kNoClass || color != last) {
        const auto found = by_color_.find(color);
        last_id = found == by_color_.end() ? kNoClass : found->second;
        last = color;
      }
      set(y, x, last_id);
    }
  }
  if (unknown == 0) return label;
  return Unknown(name, unknown, first, "colours", ColorShares(raw),
                 "Name each colour in a class's color or in "
                 "data.folder.ignore_colors; colours in between come from "
                 "resizing or JPEG and cannot be used");
}

absl::Status ClassMap::CheckForMasks(const std::vector<std::string>& labels,
                                     absl::string_view where) const {
  if (!ignores_255_by_default_ || encoding_ != FolderData::VALUES) {
    return absl::OkStatus();
  }
  std::map<int, int64_t> counts;
  for (const std::string& bytes : labels) {
    M2F_ASSIGN_OR_RETURN(const cv::Mat raw, DecodeRaw(bytes, where, encoding_));
    for (const auto& [value, count] : CountValues(raw)) counts[value] += count;
  }
  if (!IsMaskOfTwoValues(counts)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(where, ": the labels hold ", Shares(counts, ValueText),
                   ", and 255 would be ignored. This is ", kMaskAdvice,
                   "; or, if 255 is to be ignored, ignore_values: 255"));
}

}  // namespace mask2former
