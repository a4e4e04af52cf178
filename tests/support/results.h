// Result<T> in tests: must() for what has to work, kind_of() for what has to fail.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "protocol/base/result.h"

namespace postkeep::test {

// The value; fails the test with the error's whole text if there is none.
template <class T>
T must(Result<T> result) {
  if (!result) {
    const Error& error = result.error();
    const std::string reason = std::string(to_string(error.kind)) + ": " + error.text + " [" + error.detail + "]";
    FAIL(reason);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

template <class T>
std::optional<ErrorKind> kind_of(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().kind;
}

}  // namespace postkeep::test

namespace doctest {
template <>
struct StringMaker<std::optional<postkeep::ErrorKind>> {
  static String convert(const std::optional<postkeep::ErrorKind>& kind) {
    return kind ? String(std::string(postkeep::to_string(*kind)).c_str()) : String("success");
  }
};
}  // namespace doctest
