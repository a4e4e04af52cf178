// Result<T>: a value or an Error, where failing is a normal outcome that the caller answers.
// tl::expected stands in for std::expected, which GCC 12 has only half and clang 14 not at all.
#pragma once

#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include "protocol/base/error.h"

namespace postkeep {

template <class T>
using Result = tl::expected<T, Error>;

// For calls that only succeed or fail.
using Outcome = Result<void>;

// The usual way to fail: `return failure(ErrorKind::not_found, "No such mailbox");`
inline tl::unexpected<Error> failure(ErrorKind kind, std::string text, std::string detail = {}) {
  return tl::unexpected<Error>(Error(kind, std::move(text), std::move(detail)));
}

namespace detail {

// tl::expected<void> has no value() that a macro could call for every T.
template <class T>
T take_value(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace detail
}  // namespace postkeep

// Evaluates to the value, or returns the error from the enclosing function. Never with `co_await`
// inside (GCC 12 cannot compile that): await on the line above, then TRY(std::move(result)).
#define TRY(expression)                                                                       \
  __extension__({                                                                             \
    auto try_result = (expression);                                                           \
    if (!try_result) return tl::unexpected<::postkeep::Error>(std::move(try_result).error()); \
    ::postkeep::detail::take_value(std::move(try_result));                                    \
  })

// The same inside a coroutine.
#define CO_TRY(expression)                                                                       \
  __extension__({                                                                                \
    auto try_result = (expression);                                                              \
    if (!try_result) co_return tl::unexpected<::postkeep::Error>(std::move(try_result).error()); \
    ::postkeep::detail::take_value(std::move(try_result));                                       \
  })
