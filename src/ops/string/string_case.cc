// StringLower and StringUpper (ASCII letters, or all of Unicode for encoding "utf-8"), StringStrip and StringLength.
#ifdef SAVEDMODEL_TEXT
#include <unicode/locid.h>
#include <unicode/unistr.h>
#endif

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ops/shape_rules.h"
#include "ops/string/each_string.h"

namespace savedmodel {
namespace {

#ifdef SAVEDMODEL_TEXT
template <bool kUpper>
void ConvertUnicode(const std::string& text, std::string* result) {
  result->clear();
  if (text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) return;  // more than ICU can hold
  icu::UnicodeString unicode = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  (kUpper ? unicode.toUpper(icu::Locale::getRoot()) : unicode.toLower(icu::Locale::getRoot())).toUTF8String(*result);
}
#endif

template <bool kUpper>
absl::StatusOr<KernelPtr> MakeCase(KernelInit& init) {
  const std::string& encoding = init.attrs().String("encoding");
  SM_CHECK_ARGUMENT(encoding.empty() || encoding == "utf-8", "only utf-8 or '' (no encoding) is supported, received ", encoding);
  if (!encoding.empty()) {
#ifdef SAVEDMODEL_TEXT
    return MakeKernel([](KernelContext& context) { return EachString<std::string>(context, ConvertUnicode<kUpper>); });
#else
    return absl::UnimplementedError("encoding utf-8: this build leaves out Unicode (meson option -Dtext)");
#endif
  }
  return MakeKernel([](KernelContext& context) {
    return EachString<std::string>(context, [](const std::string& text, std::string* result) {
      *result = text;
      for (char& c : *result)
        c = kUpper ? absl::ascii_toupper(static_cast<unsigned char>(c)) : absl::ascii_tolower(static_cast<unsigned char>(c));
    });
  });
}

absl::StatusOr<KernelPtr> MakeStrip(KernelInit&) {
  return MakeKernel([](KernelContext& context) {
    return EachString<std::string>(context, [](const std::string& text, std::string* result) {
      const absl::string_view inner = absl::StripAsciiWhitespace(text);
      result->assign(inner.data(), inner.size());
    });
  });
}

absl::StatusOr<KernelPtr> MakeLength(KernelInit& init) {
  const bool characters = init.attrs().String("unit") == "UTF8_CHAR";
  return MakeKernel([=](KernelContext& context) {
    return EachString<int32_t>(context, [&](const std::string& text, int32_t* length) {
      size_t n = text.size();
      if (characters) {
        n = 0;
        for (char c : text) n += (static_cast<unsigned char>(c) & 0xC0u) != 0x80u;  // bytes that begin a character
      }
      *length = static_cast<int32_t>(n);
    });
  });
}

}  // namespace

void DefineStringCase(OpTable& ops) {
  ops.Add({.name = "StringLower", .inputs = "input: string", .outputs = "output: string", .attrs = "encoding: string = ''",
           .infer = SameShape, .cpu = MakeCase<false>});
  ops.Add({.name = "StringUpper", .inputs = "input: string", .outputs = "output: string", .attrs = "encoding: string = ''",
           .infer = SameShape, .cpu = MakeCase<true>});
  ops.Add({.name = "StringStrip", .inputs = "input: string", .outputs = "output: string", .infer = SameShape, .cpu = MakeStrip});
  ops.Add({.name = "StringLength", .inputs = "input: string", .outputs = "output: int32",
           .attrs = "unit: {'BYTE', 'UTF8_CHAR'} = 'BYTE'", .infer = SameShape, .cpu = MakeLength});
}

}  // namespace savedmodel
