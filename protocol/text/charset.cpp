#include "protocol/text/charset.h"

#include <unicode/ucnv.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "protocol/text/utf8.h"

namespace postkeep::text {
namespace {

constexpr std::size_t charset_name_max = 64;  // the longest registered name has 45

// Names of mail that ICU does not know or takes too narrowly: the charset named by the standard is a subset
// of what mail programs send under its name.
struct Alias {
  std::string_view name;  // lower case
  const char* icu;
};
constexpr const char* guessed = "";  // ASCII by name, anything in practice
constexpr const char* utf8_name = "UTF-8";

constexpr std::array aliases = {
    Alias{"us-ascii", guessed},
    Alias{"ascii", guessed},
    Alias{"ansi_x3.4-1968", guessed},
    Alias{"646", guessed},
    Alias{"utf-8", utf8_name},
    Alias{"utf8", utf8_name},
    Alias{"uft-8", utf8_name},
    Alias{"unicode-1-1-utf-8", utf8_name},
    Alias{"utf-8-bom", utf8_name},
    Alias{"unicode-1-1-utf-7", "UTF-7"},
    Alias{"iso-8859-1", "windows-1252"},
    Alias{"iso8859-1", "windows-1252"},
    Alias{"iso_8859-1", "windows-1252"},
    Alias{"latin1", "windows-1252"},
    Alias{"latin-1", "windows-1252"},
    Alias{"l1", "windows-1252"},
    Alias{"cp1252", "windows-1252"},
    Alias{"iso-8859-9", "windows-1254"},
    Alias{"iso-8859-11", "windows-874"},
    Alias{"tis-620", "windows-874"},
    Alias{"iso-8859-8-i", "ISO-8859-8"},
    Alias{"iso-8859-8-e", "ISO-8859-8"},
    Alias{"iso-8859-6-i", "ISO-8859-6"},
    Alias{"iso-8859-6-e", "ISO-8859-6"},
    Alias{"gb2312", "gb18030"},
    Alias{"gb_2312-80", "gb18030"},
    Alias{"x-gbk", "gb18030"},
    Alias{"gbk", "gb18030"},
    Alias{"cp936", "gb18030"},
    Alias{"ks_c_5601-1987", "windows-949"},
    Alias{"ks_c_5601", "windows-949"},
    Alias{"ksc5601", "windows-949"},
    Alias{"euc-kr", "windows-949"},
    Alias{"cp949", "windows-949"},
    Alias{"shift_jis", "windows-31j"},
    Alias{"shift-jis", "windows-31j"},
    Alias{"x-sjis", "windows-31j"},
    Alias{"sjis", "windows-31j"},
    Alias{"cp932", "windows-31j"},
    Alias{"big5", "Big5-HKSCS"},
    Alias{"x-big5", "Big5-HKSCS"},
    Alias{"cp950", "windows-950"},
    Alias{"x-mac-cyrillic", "x-mac-cyrillic"},
    Alias{"koi8", "KOI8-R"},
    Alias{"cp1251", "windows-1251"},
    Alias{"win-1251", "windows-1251"},
    Alias{"cp1250", "windows-1250"},
};

// The name as ICU is asked for it, or nullopt if it is none. Only letters, digits and a few marks get
// through: ICU takes "" as the locale's charset, "," as options and "/" as a path.
std::string clean_name(std::string_view charset) {
  while (!charset.empty() && charset.front() == ' ') charset.remove_prefix(1);
  while (!charset.empty() && charset.back() == ' ') charset.remove_suffix(1);
  if (const std::size_t language = charset.find('*'); language != charset.npos) {
    charset = charset.substr(0, language);  // RFC 2231 §5
  }
  std::string name;
  if (charset.size() > charset_name_max) return name;
  for (const char c : charset) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool mark = c == '-' || c == '_' || c == '.' || c == ':' || c == '+' || c == '(' || c == ')';
    if (!letter && !mark && !(c >= '0' && c <= '9')) return {};
    name += (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  }
  return name;
}

// 0x80 to 0x9F of windows-1252; the five holes stay what they are in ISO 8859-1.
constexpr std::array<char16_t, 32> windows_1252_high = {0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
                                                        0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                        0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

char32_t windows_1252(unsigned char c) { return c >= 0x80 && c < 0xA0 ? windows_1252_high[c - 0x80u] : c; }

}  // namespace

class CharsetConverter::Engine {
 public:
  virtual ~Engine() = default;
  virtual void feed(std::string_view bytes, std::string& out) = 0;
  virtual void finish(std::string& out) = 0;
};

// UTF-8 passed on where it is well-formed. What is not becomes U+FFFD, or, in a guess, windows-1252.
class CharsetConverter::Utf8Engine final : public Engine {
 public:
  enum class IllFormed { replaced, windows_1252 };
  explicit Utf8Engine(IllFormed ill_formed) : ill_formed_(ill_formed) {}

  void feed(std::string_view bytes, std::string& out) override {
    std::string joined;
    if (!held_.empty()) {
      joined = std::exchange(held_, {});
      joined.append(bytes);
      bytes = joined;
    }
    while (true) {
      const std::size_t ascii = ascii_prefix(bytes);
      out.append(bytes.substr(0, ascii));
      bytes.remove_prefix(ascii);
      if (bytes.empty()) return;
      const CodePoint point = first_code_point(bytes);
      if (point.state == CodePoint::State::cut) {
        held_ = bytes;  // at most three octets
        return;
      }
      if (point.state == CodePoint::State::ok) {
        out.append(bytes.substr(0, point.length));
      } else {
        append_ill_formed(bytes.substr(0, point.length), out);
      }
      bytes.remove_prefix(point.length);
    }
  }

  void finish(std::string& out) override {
    if (!held_.empty()) append_ill_formed(std::exchange(held_, {}), out);
  }

 private:
  void append_ill_formed(std::string_view bytes, std::string& out) const {
    if (ill_formed_ == IllFormed::replaced) return append_utf8(out, 0xFFFD);
    for (const char c : bytes) append_utf8(out, windows_1252(static_cast<unsigned char>(c)));
  }
  IllFormed ill_formed_;
  std::string held_;
};

class CharsetConverter::IcuEngine final : public Engine {
 public:
  explicit IcuEngine(UConverter* converter) : converter_(converter) {}
  IcuEngine(const IcuEngine&) = delete;
  IcuEngine& operator=(const IcuEngine&) = delete;
  ~IcuEngine() override { ucnv_close(converter_); }

  void feed(std::string_view bytes, std::string& out) override { convert(bytes, false, out); }

  void finish(std::string& out) override {
    convert({}, true, out);
    if (std::exchange(high_surrogate_, u'\0') != u'\0') append_utf8(out, 0xFFFD);
    ucnv_resetToUnicode(converter_);
  }

 private:
  void convert(std::string_view bytes, bool flush, std::string& out) {
    const char* source = bytes.data();
    const char* const source_end = source + bytes.size();
    std::array<UChar, 512> wide{};
    UErrorCode status = U_ZERO_ERROR;
    do {
      status = U_ZERO_ERROR;
      UChar* target = wide.data();
      ucnv_toUnicode(converter_, &target, wide.data() + wide.size(), &source, source_end, nullptr,
                     static_cast<UBool>(flush), &status);
      for (const UChar* unit = wide.data(); unit != target; ++unit) append_unit(*unit, out);
    } while (status == U_BUFFER_OVERFLOW_ERROR);
  }

  void append_unit(char16_t unit, std::string& out) {
    if (high_surrogate_ != u'\0') {
      const char16_t high = std::exchange(high_surrogate_, u'\0');
      if (U16_IS_TRAIL(unit)) {
        append_utf8(out, static_cast<char32_t>(U16_GET_SUPPLEMENTARY(high, unit)));
        return;
      }
      append_utf8(out, 0xFFFD);
    }
    if (U16_IS_LEAD(unit)) {
      high_surrogate_ = unit;
    } else {
      append_utf8(out, unit);  // a lone trail surrogate becomes U+FFFD there
    }
  }

  UConverter* converter_;
  char16_t high_surrogate_ = u'\0';
};

namespace {

const char* icu_name_of(const std::string& name) {
  const auto alias = std::find_if(aliases.begin(), aliases.end(), [&](const Alias& a) { return a.name == name; });
  return alias == aliases.end() ? name.c_str() : alias->icu;
}

bool is_prefix_and_digits(std::string_view name, std::string_view prefix, std::size_t digits_max) {
  if (name.size() <= prefix.size() || name.size() > prefix.size() + digits_max || !name.starts_with(prefix))
    return false;
  name.remove_prefix(prefix.size());
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool leaves_ascii(std::string_view charset) {
  const std::string name = clean_name(charset);
  if (name.empty()) return true;  // guessed
  const std::string_view icu_name = icu_name_of(name);
  if (icu_name == guessed || icu_name == utf8_name || icu_name == "koi8-r" || icu_name == "koi8-u") return true;
  return is_prefix_and_digits(icu_name, "iso-8859-", 2) || is_prefix_and_digits(icu_name, "windows-125", 1);
}

CharsetConverter::CharsetConverter(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
CharsetConverter::CharsetConverter(CharsetConverter&&) noexcept = default;
CharsetConverter& CharsetConverter::operator=(CharsetConverter&&) noexcept = default;
CharsetConverter::~CharsetConverter() = default;

Result<CharsetConverter> CharsetConverter::open(std::string_view charset) {
  const std::string name = clean_name(charset);
  if (name.empty()) return failure(ErrorKind::bad_charset, "This is not the name of a character set");
  const char* icu_name = icu_name_of(name);
  if (icu_name == guessed) return guess();
  if (icu_name == utf8_name) {  // which most text is, and needs no conversion
    return CharsetConverter(std::make_unique<Utf8Engine>(Utf8Engine::IllFormed::replaced));
  }
  UErrorCode status = U_ZERO_ERROR;
  UConverter* converter = ucnv_open(icu_name, &status);
  if (U_FAILURE(status) || converter == nullptr) {
    return failure(ErrorKind::bad_charset, "This character set is not known here", name);
  }
  return CharsetConverter(std::make_unique<IcuEngine>(converter));
}

CharsetConverter CharsetConverter::guess() {
  return CharsetConverter(std::make_unique<Utf8Engine>(Utf8Engine::IllFormed::windows_1252));
}

void CharsetConverter::feed(std::string_view bytes, std::string& out) { engine_->feed(bytes, out); }
void CharsetConverter::finish(std::string& out) { engine_->finish(out); }

Result<std::string> to_utf8(std::string_view charset, std::string_view bytes) {
  CharsetConverter converter = TRY(CharsetConverter::open(charset));
  std::string out;
  out.reserve(bytes.size());
  converter.feed(bytes, out);
  converter.finish(out);
  return out;
}

std::string to_utf8_leniently(std::string_view charset, std::string_view bytes) {
  if (auto converted = to_utf8(charset, bytes)) return *std::move(converted);
  CharsetConverter converter = CharsetConverter::guess();
  std::string out;
  converter.feed(bytes, out);
  converter.finish(out);
  return out;
}

bool is_known_charset(std::string_view charset) { return CharsetConverter::open(charset).has_value(); }

}  // namespace postkeep::text
