// How a row of the command table becomes a call: parse the arguments, then run. Used by extensions.cpp alone.
#pragma once

#include <utility>

#include "server/imap/extensions.h"

namespace postkeep::imap {

// An answer that is known at once.
inline Answer answer_error(Error error) { co_return tl::unexpected<Error>(std::move(error)); }

// Not a coroutine: what it parsed lives in the handler's frame alone.
template <auto Parse, auto Run>
Answer parse_and_run(Context& context, Cursor& cursor) {
  auto arguments = Parse(cursor);
  if (!arguments) return answer_error(std::move(arguments).error());
  return Run(context, std::move(arguments).value());
}

// For commands without arguments.
template <auto Run>
Answer run_plain(Context& context, Cursor& cursor) {
  if (Outcome nothing = parse_nothing(cursor); !nothing) return answer_error(std::move(nothing).error());
  return Run(context);
}

}  // namespace postkeep::imap
