// ReadAhead: messages that RETR is about to ask for. Most clients fetch a maildrop in order, one message after another:
// the messages behind the one that was asked for are read meanwhile, in the form in which they are sent. Owned by the
// session and used on its thread; what it holds is bounded. Nothing that another session has expunged is given out:
// with any change of the account everything that was read is forgotten.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/pop3/maildrop.h"
#include "server/runtime/ahead.h"
#include "server/runtime/services.h"

namespace postkeep::pop3 {

// What RETR sends after its "+OK" line, up to the final line.
struct StuffedMessages {
  struct Entry {
    Uid uid;
    std::size_t begin = 0;  // in `text`
    std::size_t end = 0;
  };
  std::string text;
  std::vector<Entry> entries;
};

class ReadAhead {
 public:
  struct Found {
    std::string_view text;  // of a message that was read; until the next call
    // Instead: a message too large for that, to be read in slices.
    std::shared_ptr<storage::MessageReader> reader;
  };

  // The message with this number of `maildrop`, which exists. Errors: not_found when it was expunged, and those of
  // AccountStore::open_message().
  server::Awaitable<Result<Found>> get(server::Gateway& gateway, const server::AccountPtr& account,
                                       const Maildrop& maildrop, std::uint32_t number);
  // Of the account, subscribed before the first get().
  void watch(std::shared_ptr<server::Watch> watch) { watch_ = std::move(watch); }
  bool is_watching() const { return watch_ != nullptr; }

 private:
  bool find_read(Uid uid, Found& found) const;
  void start_reading(server::Gateway& gateway);
  server::Awaitable<bool> take_reading(server::Gateway& gateway, Uid uid, Found& found);
  void forget();

  std::shared_ptr<server::Watch> watch_;
  std::uint32_t last_number_ = 0;
  StuffedMessages read_;
  std::vector<Uid> located_;  // by `files_`, ascending
  std::shared_ptr<storage::MessageFiles> files_;
  std::optional<server::Ahead<Result<StuffedMessages>>> reading_;  // what comes behind `read_`
};

}  // namespace postkeep::pop3
