#include "cli/python_lexer.h"

#include <unicode/uchar.h>

#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace savedmodel::cli {
namespace {

constexpr size_t kMaxDigits = 4300;  // as Python's own limit

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = absl::ascii_tolower(static_cast<unsigned char>(c));
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

class Lexer {
 public:
  explicit Lexer(absl::string_view text) : text_(text) {}

  bool Run(std::vector<Token>* tokens) {
    while (Skip()) {
      if (at_ == text_.size()) {
        tokens->emplace_back();
        return brackets_ == 0;
      }
      Token token;
      if (!Next(&token)) return false;
      tokens->push_back(std::move(token));
    }
    return false;
  }

 private:
  char At(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  bool Skip() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n' || c == '\r') {
        if (brackets_ == 0) ended_ = true;
      } else if (c == '#') {
        while (at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
      } else if (c == '\\' && At(at_ + 1) == '\n') {
        ++at_;
      } else if (c != ' ' && c != '\t' && c != '\f') {
        return !ended_;
      }
    }
    return true;
  }

  bool Next(Token* token) {
    const char c = text_[at_];
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c == '.' && absl::ascii_isdigit(static_cast<unsigned char>(At(at_ + 1))))) {
      return Number(token);
    }
    if (size_t prefix = StringPrefix(); prefix <= 2) return String(prefix, token);
    if (absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_') {
      const size_t begin = at_;
      while (absl::ascii_isalnum(static_cast<unsigned char>(At(at_))) || At(at_) == '_') ++at_;
      token->kind = Token::Kind::kName;
      token->text = std::string(text_.substr(begin, at_ - begin));
      return true;
    }
    token->kind = Token::Kind::kSign;
    for (const char* sign : {"**", "//"}) {
      if (absl::StartsWith(text_.substr(at_), sign)) return token->text = sign, at_ += 2, true;
    }
    if (absl::string_view("[](){},:.+-*/%=").find(c) == absl::string_view::npos) return false;
    if (c == '[' || c == '(' || c == '{') ++brackets_;
    if ((c == ']' || c == ')' || c == '}') && brackets_-- == 0) return false;
    token->text = std::string(1, c);
    ++at_;
    return true;
  }

  // Digits of a base with single underscores between them; false where there is none.
  bool Digits(int base, std::string* digits) {
    const size_t begin = digits->size();
    for (;; ++at_) {
      if (DigitOf(At(at_)) < base) {
        *digits += At(at_);
      } else if (At(at_) != '_' || DigitOf(At(at_ + 1)) >= base || (at_ > 0 && DigitOf(At(at_ - 1)) >= base)) {
        return digits->size() > begin;
      }
    }
  }

  bool Number(Token* token) {
    token->kind = Token::Kind::kNumber;
    const char second = absl::ascii_tolower(static_cast<unsigned char>(At(at_ + 1)));
    const int base = At(at_) != '0' ? 10 : second == 'x' ? 16 : second == 'o' ? 8 : second == 'b' ? 2 : 10;
    std::string digits;
    if (base != 10) {
      at_ += At(at_ + 2) == '_' ? 3 : 2;
      if (!Digits(base, &digits) || !EndsWell() || digits.size() > kMaxDigits) return false;
      return token->value = FromBase(digits, base), true;
    }
    bool real = false;
    if (At(at_) != '.') Digits(10, &digits);
    const std::string whole = digits;
    if (At(at_) == '.') {
      real = true;
      digits += '.';
      ++at_;
      Digits(10, &digits);
    }
    if (absl::ascii_tolower(static_cast<unsigned char>(At(at_))) == 'e') {
      const size_t sign = At(at_ + 1) == '+' || At(at_ + 1) == '-';
      if (absl::ascii_isdigit(static_cast<unsigned char>(At(at_ + 1 + sign)))) {
        real = true;
        digits.append(text_.data() + at_, 1 + sign);
        at_ += 1 + sign;
        if (!Digits(10, &digits)) return false;
      }
    }
    const bool imaginary = At(at_) == 'j' || At(at_) == 'J';
    if (imaginary) ++at_;
    if (!EndsWell()) return false;
    double number = 0;
    if (real || imaginary) {
      if (!absl::SimpleAtod(digits, &number)) return false;
      return token->value = imaginary ? Value::Complex({0, number}) : Value::Float(number), true;
    }
    const size_t first = whole.find_first_not_of('0');
    if (first == whole.npos) return token->value = Value::Int(0), true;
    if (first > 0 || whole.size() > kMaxDigits) return false;  // 01 is no number
    return token->value = Value::BigInt(whole), true;
  }

  bool EndsWell() const {
    const char c = At(at_);
    return !absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && (c != '.' || At(at_ - 1) != '.');
  }

  static Value FromBase(const std::string& digits, int base) {
    std::string decimal(1, '\0');  // little-endian decimal digits
    for (char c : digits) {
      int carry = DigitOf(c);
      for (char& d : decimal) {
        carry += d * base;
        d = static_cast<char>(carry % 10);
        carry /= 10;
      }
      for (; carry > 0; carry /= 10) decimal += static_cast<char>(carry % 10);
    }
    std::string text;
    for (size_t i = decimal.size(); i-- > 0;) {
      if (!text.empty() || decimal[i] != 0 || i == 0) text += static_cast<char>('0' + decimal[i]);
    }
    return Value::BigInt(text);
  }

  // How many letters stand before the quote; 3: no string begins here.
  size_t StringPrefix() const {
    for (size_t i = 0; i <= 2; ++i) {
      if (At(at_ + i) == '\'' || At(at_ + i) == '"') {
        const std::string prefix = absl::AsciiStrToLower(text_.substr(at_, i));
        for (const char* known : {"", "b", "r", "u", "br", "rb"}) {
          if (prefix == known) return i;
        }
        return 3;
      }
    }
    return 3;
  }

  bool String(size_t prefix, Token* token) {
    const std::string letters = absl::AsciiStrToLower(text_.substr(at_, prefix));
    const bool bytes = letters.find('b') != letters.npos, raw = letters.find('r') != letters.npos;
    at_ += prefix;
    std::string quote(1, text_[at_]);
    if (absl::StartsWith(text_.substr(at_), quote + quote + quote)) quote += quote + quote;
    at_ += quote.size();
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) return false;
      if (absl::StartsWith(text_.substr(at_), quote)) break;
      const char c = text_[at_++];
      if ((c == '\n' && quote.size() == 1) || c == '\0' || (bytes && static_cast<unsigned char>(c) >= 0x80)) return false;
      out += c;
      if (c != '\\') continue;
      if (at_ >= text_.size()) return false;
      if (raw) {
        out += text_[at_++];
      } else {
        out.pop_back();
        if (!Escape(bytes, &out)) return false;
      }
    }
    at_ += quote.size();
    token->kind = Token::Kind::kString;
    token->value = bytes ? Value::Bytes(std::move(out)) : Value::String(std::move(out));
    return true;
  }

  bool Hex(size_t n, uint32_t* code) {
    if (at_ + n > text_.size()) return false;
    const char* begin = text_.data() + at_;
    at_ += n;
    return std::from_chars(begin, begin + n, *code, 16).ptr == begin + n;
  }

  bool Escape(bool bytes, std::string* out) {
    const char c = text_[at_++];
    uint32_t code = 0;
    switch (c) {
      case '\n': return true;
      case '\\': case '\'': case '"': return *out += c, true;
      case 'a': return *out += '\a', true;
      case 'b': return *out += '\b', true;
      case 'f': return *out += '\f', true;
      case 'n': return *out += '\n', true;
      case 'r': return *out += '\r', true;
      case 't': return *out += '\t', true;
      case 'v': return *out += '\v', true;
      case 'x':
        if (!Hex(2, &code)) return false;
        break;
      case 'u': case 'U':
        if (bytes) return *out += '\\', *out += c, true;
        if (!Hex(c == 'u' ? 4 : 8, &code) || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
        break;
      case 'N':
        if (bytes) return *out += "\\N", true;
        if (!Named(&code)) return false;
        break;
      default:
        if (c < '0' || c > '7') return *out += '\\', *out += c, true;
        --at_;
        for (int i = 0; i < 3 && At(at_) >= '0' && At(at_) <= '7'; ++i) code = code * 8 + static_cast<uint32_t>(text_[at_++] - '0');
    }
    if (bytes) {
      *out += static_cast<char>(code);
    } else {
      AppendUtf8(code, out);
    }
    return true;
  }

  bool Named(uint32_t* code) {
    const size_t end = text_.find('}', at_);
    if (At(at_) != '{' || end == text_.npos || end - at_ > 100) return false;
    const std::string name = absl::AsciiStrToUpper(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    UErrorCode error = U_ZERO_ERROR;
    *code = static_cast<uint32_t>(u_charFromName(U_EXTENDED_CHAR_NAME, name.c_str(), &error));
    return U_SUCCESS(error) != 0;
  }

  absl::string_view text_;
  size_t at_ = 0;
  int brackets_ = 0;
  bool ended_ = false;
};

}  // namespace

void AppendUtf8(uint32_t c, std::string* out) {
  if (c < 0x80) {
    *out += static_cast<char>(c);
  } else if (c < 0x800) {
    *out += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
  } else if (c < 0x10000) {
    *out += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
  } else {
    *out += {static_cast<char>(0xf0 | (c >> 18 & 7)), static_cast<char>(0x80 | (c >> 12 & 63)), static_cast<char>(0x80 | (c >> 6 & 63)),
             static_cast<char>(0x80 | (c & 63))};
  }
}

bool Tokenize(absl::string_view text, std::vector<Token>* tokens) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t')) text.remove_prefix(1);
  return Lexer(text).Run(tokens);
}

}  // namespace savedmodel::cli
