#include "cli/array_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/python_text.h"

namespace savedmodel::cli {
namespace {

constexpr int64_t kEdge = 3, kSummaryAbove = 1000, kWidth = 75, kPrecision = 8;

// What numpy compares with: the numbers as the dtype holds them.
double As(DataType type, double value) {
  if (type == DataType::kHalf) return static_cast<float>(Half(static_cast<float>(value)));
  return type == DataType::kFloat || type == DataType::kComplex64 ? static_cast<float>(value) : value;
}

// The fewest digits that read back as the same value.
std::string Shortest(double value, DataType type, bool scientific) {
  char buffer[400];
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  if (type == DataType::kDouble || type == DataType::kComplex128) return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr};
  const float narrow = static_cast<float>(value);
  if (type != DataType::kHalf) return {buffer, std::to_chars(buffer, buffer + sizeof buffer, narrow, format).ptr};
  for (int digits = 0; digits < 17; ++digits) {
    const std::string text = absl::StrFormat("%.*e", digits, value);
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    if (Half(static_cast<float>(back)).bits != Half(narrow).bits) continue;
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, back, format).ptr};
  }
  return "0";
}

// Integer part with sign, fraction, exponent ("e+08").
struct Parts {
  std::string whole, fraction, exponent;
};

Parts Split(const std::string& text) {
  Parts parts;
  const size_t end = std::min(text.find('e'), text.size());
  if (end < text.size()) parts.exponent = text.substr(end);
  const size_t point = std::min(text.find('.'), end);
  parts.whole = text.substr(0, point);
  if (point < end) parts.fraction = text.substr(point + 1, end - point - 1);
  return parts;
}

// The fewest digits, at most eight after the point, without zeros at the end.
Parts Short(double value, DataType type, bool scientific) {
  Parts parts = Split(Shortest(value, type, scientific));
  if (static_cast<int64_t>(parts.fraction.size()) > kPrecision) {
    parts = Split(scientific ? absl::StrFormat("%.8e", value) : absl::StrFormat("%.8f", value));
  }
  while (!parts.fraction.empty() && parts.fraction.back() == '0') parts.fraction.pop_back();
  return parts;
}

// How all numbers of one array are written.
class FloatFormat {
 public:
  FloatFormat(const std::vector<double>& values, DataType type, bool plus) : type_(type), plus_(plus) {
    double most = 0, least = 0;
    for (double v : values) {
      if (!std::isfinite(v) || v == 0) continue;
      most = std::max(most, std::fabs(v));
      least = least == 0 ? std::fabs(v) : std::min(least, std::fabs(v));
    }
    const double large = type == DataType::kHalf ? 1e3 : type == DataType::kFloat || type == DataType::kComplex64 ? 1e6 : 1e8;
    scientific_ = least != 0 && (most >= large || least < As(type, 0.0001) || As(type, most / least) > 1000);
    size_t exponent = 0;
    bool odd = false, minus = plus;
    for (double v : values) {
      if (!std::isfinite(v)) {
        odd = true;
        minus = minus || v < 0;
        continue;
      }
      const Parts parts = Short(v, type, scientific_);
      left_ = std::max(left_, Whole(parts).size());
      fraction_ = std::max(fraction_, parts.fraction.size());
      exponent = std::max(exponent, parts.exponent.size());
    }
    exponent_ = exponent;
    right_ = fraction_ + exponent;
    const size_t longest = minus ? 4 : 3;
    if (odd && longest > right_ + 1) left_ = std::max(left_, longest - right_ - 1);
  }

  std::string operator()(double v) const {
    if (!std::isfinite(v)) {
      const std::string text = std::isnan(v) ? (plus_ ? "+nan" : "nan") : v < 0 ? "-inf" : plus_ ? "+inf" : "inf";
      return std::string(left_ + right_ + 1 - std::min(text.size(), left_ + right_ + 1), ' ') + text;
    }
    // In scientific form all have as many digits, and those past the fewest are digits of the value, not zeros.
    Parts parts = scientific_ ? Split(absl::StrFormat("%.*e", static_cast<int>(fraction_), v)) : Short(v, type_, false);
    if (parts.exponent.size() < exponent_) parts.exponent.insert(2, exponent_ - parts.exponent.size(), '0');
    const std::string whole = Whole(parts);
    return absl::StrCat(std::string(left_ - std::min(left_, whole.size()), ' '), whole, ".", parts.fraction,
                        std::string(fraction_ - std::min(fraction_, parts.fraction.size()), ' '), parts.exponent);
  }

 private:
  std::string Whole(const Parts& parts) const { return plus_ && parts.whole[0] != '-' ? "+" + parts.whole : parts.whole; }
  DataType type_;
  bool plus_, scientific_ = false;
  size_t left_ = 0, right_ = 0, fraction_ = 0, exponent_ = 0;
};

// Letters of UTF-8.
size_t Columns(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

using ElementText = std::function<std::string(int64_t)>;

// The brackets, the line breaks and the "...".
class Layout {
 public:
  Layout(const Tensor& tensor, const ElementText& text) : tensor_(tensor), text_(text), summary_(tensor.num_elements() > kSummaryAbove) {}

  std::string Part(int axis, int64_t offset, const std::string& indent, int64_t width) const {
    if (axis == tensor_.rank()) return text_(offset);
    const int64_t n = tensor_.dim(axis), stride = tensor_.shape().Product(axis + 1, tensor_.rank());
    const bool cut = summary_ && n > 2 * kEdge;
    const bool last = axis == tensor_.rank() - 1;
    std::string done, line = indent;
    for (int64_t i = 0; i < n; ++i) {
      const bool gap = cut && i == kEdge;
      if (gap) i = n - kEdge - 1;
      const bool end = !gap && i == n - 1;
      if (last) {
        const std::string word = gap ? "..." : text_(offset + i);
        if (static_cast<int64_t>(Columns(line) + Columns(word)) > width - 1 && line.size() > indent.size()) {
          while (!line.empty() && line.back() == ' ') line.pop_back();
          absl::StrAppend(&done, line, "\n");
          line = indent;
        }
        absl::StrAppend(&line, word, end ? "" : " ");
      } else {
        absl::StrAppend(&done, indent, gap ? "..." : Part(axis + 1, offset + i * stride, indent + " ", width - 1),
                        end ? "" : std::string(static_cast<size_t>(tensor_.rank() - axis - 1), '\n'));
      }
    }
    if (last) done += line;
    return absl::StrCat("[", done.substr(std::min(indent.size(), done.size())), "]");
  }

  // The offsets of the elements that are shown.
  void Shown(int axis, int64_t offset, std::vector<int64_t>* offsets) const {
    if (axis == tensor_.rank()) return offsets->push_back(offset);
    const int64_t n = tensor_.dim(axis), stride = tensor_.shape().Product(axis + 1, tensor_.rank());
    for (int64_t i = 0; i < n; ++i) {
      if (summary_ && n > 2 * kEdge && i == kEdge) i = n - kEdge;
      Shown(axis + 1, offset + i * stride, offsets);
    }
  }

 private:
  const Tensor& tensor_;
  const ElementText& text_;
  bool summary_;
};

// Element i as a number; part 1 is the imaginary one.
double NumberAt(const Tensor& t, int64_t i, int part) {
  switch (t.dtype()) {
    case DataType::kFloat: return t.data<float>()[i];
    case DataType::kDouble: return t.data<double>()[i];
    case DataType::kHalf: return static_cast<float>(t.data<Half>()[i]);
    case DataType::kBFloat16: return static_cast<float>(t.data<BFloat16>()[i]);
    case DataType::kComplex64: return part == 0 ? t.data<std::complex<float>>()[i].real() : t.data<std::complex<float>>()[i].imag();
    case DataType::kComplex128: return part == 0 ? t.data<std::complex<double>>()[i].real() : t.data<std::complex<double>>()[i].imag();
    default: return 0;
  }
}

std::string PlainText(const Tensor& t, int64_t i) {
  switch (t.dtype()) {
    case DataType::kBool: return t.data<bool>()[i] ? "True" : "False";
    case DataType::kInt8: case DataType::kQInt8: return absl::StrCat(static_cast<int>(t.data<int8_t>()[i]));
    case DataType::kUInt8: case DataType::kQUInt8: return absl::StrCat(static_cast<int>(t.data<uint8_t>()[i]));
    case DataType::kInt16: case DataType::kQInt16: return absl::StrCat(t.data<int16_t>()[i]);
    case DataType::kUInt16: case DataType::kQUInt16: return absl::StrCat(t.data<uint16_t>()[i]);
    case DataType::kInt32: case DataType::kQInt32: return absl::StrCat(t.data<int32_t>()[i]);
    case DataType::kUInt32: return absl::StrCat(t.data<uint32_t>()[i]);
    case DataType::kInt64: return absl::StrCat(t.data<int64_t>()[i]);
    case DataType::kUInt64: return absl::StrCat(t.data<uint64_t>()[i]);
    case DataType::kString: return BytesRepr(t.data<std::string>()[i]);
    case DataType::kBFloat16: return absl::StrFormat("%.6g", NumberAt(t, i, 0));
    default: return DataTypeName(t.dtype());
  }
}

std::string ScalarText(double v, DataType type) {
  if (!std::isfinite(v)) return DoubleRepr(v);
  const double size = std::fabs(v), large = type == DataType::kHalf ? 1e3 : type == DataType::kFloat || type == DataType::kComplex64 ? 1e6 : 1e16;
  std::string text = Shortest(v, type, size != 0 && (size < 1e-4 || size >= large));
  return text.find_first_of(".e") == text.npos ? text + ".0" : text;
}

}  // namespace

std::string ArrayText(const Tensor& t) {
  if (t.num_elements() == 0) return "[]";
  const DataType type = t.dtype();
  const bool real = type == DataType::kFloat || type == DataType::kDouble || type == DataType::kHalf;
  const bool complex = type == DataType::kComplex64 || type == DataType::kComplex128;
  ElementText text = [&](int64_t i) { return PlainText(t, i); };
  if (t.rank() == 0) {
    if (real) return ScalarText(NumberAt(t, 0, 0), type);
    if (!complex) return text(0);
    auto part = [&](int p) {
      std::string one = ScalarText(NumberAt(t, 0, p), type);
      return one.size() > 2 && one.substr(one.size() - 2) == ".0" ? one.substr(0, one.size() - 2) : one;
    };
    const std::string imaginary = part(1);
    if (NumberAt(t, 0, 0) == 0 && !std::signbit(NumberAt(t, 0, 0))) return imaginary + "j";
    return absl::StrCat("(", part(0), imaginary[0] == '-' ? "" : "+", imaginary, "j)");
  }
  std::vector<int64_t> shown;
  Layout(t, text).Shown(0, 0, &shown);
  if (real || complex) {
    std::vector<double> first, second;
    for (int64_t i : shown) {
      first.push_back(NumberAt(t, i, 0));
      second.push_back(NumberAt(t, i, 1));
    }
    const FloatFormat whole(first, type, false), imaginary(second, type, true);
    text = [&t, whole, imaginary, complex](int64_t i) {
      if (!complex) return whole(NumberAt(t, i, 0));
      std::string part = imaginary(NumberAt(t, i, 1));
      part.insert(part.find_last_not_of(' ') + 1, 1, 'j');
      return whole(NumberAt(t, i, 0)) + part;
    };
  } else if (type != DataType::kString && type != DataType::kBFloat16) {
    size_t width = type == DataType::kBool ? 5 : 0;
    for (int64_t i : shown) width = std::max(width, PlainText(t, i).size());
    text = [&t, width](int64_t i) {
      const std::string one = PlainText(t, i);
      return std::string(width - std::min(width, one.size()), ' ') + one;
    };
  }
  return Layout(t, text).Part(0, 0, " ", kWidth);
}

}  // namespace savedmodel::cli
