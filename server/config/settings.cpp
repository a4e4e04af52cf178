#include "server/config/settings.h"

#include <algorithm>

namespace postkeep {

std::vector<std::string> own_domains(const Settings& settings) {
  std::vector<std::string> own = settings.domains;
  own.push_back(settings.hostname);
  own.emplace_back("localhost");
  std::ranges::sort(own);
  own.erase(std::unique(own.begin(), own.end()), own.end());  // std::ranges::unique is beyond clang 14
  std::erase(own, "");
  return own;
}

bool offers_scram_sha_1(const Settings& settings) {
  return std::ranges::any_of(settings.auth.mechanisms,
                             [](const std::string& name) { return name.starts_with("SCRAM-SHA-1"); });
}

std::string_view to_string(AllowPlaintext value) {
  switch (value) {
    case AllowPlaintext::never:
      return "never";
    case AllowPlaintext::loopback:
      return "loopback";
    case AllowPlaintext::always:
      return "always";
  }
  return "never";
}

std::string_view to_string(TlsVersion value) { return value == TlsVersion::tls_1_3 ? "1.3" : "1.2"; }

std::string_view to_string(TlsProfile value) { return value == TlsProfile::modern ? "modern" : "intermediate"; }

std::string_view to_string(LogLevel value) {
  switch (value) {
    case LogLevel::error:
      return "error";
    case LogLevel::warn:
      return "warn";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
    case LogLevel::trace:
      return "trace";
  }
  return "error";
}

std::string_view to_string(LogFormat value) { return value == LogFormat::json ? "json" : "text"; }

std::string_view to_string(OverQuota value) { return value == OverQuota::defer ? "defer" : "reject"; }
std::string_view to_string(BareLf value) { return value == BareLf::repair ? "repair" : "reject"; }
std::string_view to_string(LmtpAuth value) {
  if (value == LmtpAuth::off) return "off";
  return value == LmtpAuth::offered ? "offered" : "required";
}
std::string_view to_string(DetailFolder value) {
  if (value == DetailFolder::off) return "off";
  return value == DetailFolder::existing ? "existing" : "make";
}
std::string_view to_string(EightBitHeaders value) { return value == EightBitHeaders::accept ? "accept" : "refuse"; }

std::string_view to_string(NameProgram value) {
  switch (value) {
    case NameProgram::always:
      return "always";
    case NameProgram::after_login:
      return "after login";
    case NameProgram::never:
      return "never";
  }
  return "always";
}

std::string_view to_string(Utf8Messages value) { return value == Utf8Messages::send ? "send" : "refuse"; }

}  // namespace postkeep
