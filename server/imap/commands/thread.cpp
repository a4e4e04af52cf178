// THREAD and UID THREAD. RFC 5256 §3; THREAD=REFS: draft-ietf-morg-inthread.
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "protocol/imap/responses/thread.h"
#include "protocol/mail/threading.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/search.h"
#include "server/imap/message_keys.h"

namespace postkeep::imap {

namespace {

constexpr std::size_t threaded_at_once = 1000;  // messages written between two looks at the size of the output

using Cursors = std::span<storage::ColumnCursor>;

std::vector<storage::Column> thread_columns(ThreadAlgorithm algorithm) {
  std::vector<storage::Column> columns{storage::Column{storage::Column::Kind::sent_date},
                                       storage::Column{storage::Column::Kind::internal_date}};
  if (algorithm != ThreadAlgorithm::ordered_subject)
    columns.push_back(storage::Column{storage::Column::Kind::thread_ids});
  if (algorithm != ThreadAlgorithm::refs) columns.push_back(storage::Column{storage::Column::Kind::base_subject});
  return columns;
}

// Beside the session's thread, as OrderJob of SORT.
class BuildThreadsJob {
 public:
  BuildThreadsJob(ThreadAlgorithm algorithm, const std::vector<storage::MessageKeys>& keys,
                  const storage::MailboxVersion& view, UidForm form)
      : algorithm_(algorithm), keys_(keys), view_(view), form_(form) {}

  Result<ThreadForest> operator()() const {
    return algorithm_ == ThreadAlgorithm::ordered_subject ? by_subject() : by_reference();
  }

 private:
  ThreadForest by_subject() const {
    SubjectThreads threads;
    for_each_key(keys_, view_, form_, [&](std::uint32_t number, Cursors values) {
      threads.add(number, UnixTime{sent_or_came(values[0], values[1])}, values[2].text());
    });
    return threads.finish();
  }

  ThreadForest by_reference() const {
    std::size_t messages = 0;
    for (const storage::MessageKeys& part : keys_) messages += part.uids.size();
    ReferenceThreads threads(messages);
    for_each_key(keys_, view_, form_, [&](std::uint32_t number, Cursors values) {
      ReferenceThreads::Message message;
      message.number = number;
      message.sent.seconds = sent_or_came(values[0], values[1]);
      message.id = values[2].ids().front();
      message.references = values[2].ids().subspan(1);
      if (algorithm_ == ThreadAlgorithm::references) {
        message.subject = values[3].text();
        message.is_reply = values[3].mark();
      }
      threads.add(message);
    });
    return algorithm_ == ThreadAlgorithm::references ? threads.finish_references() : threads.finish_refs();
  }

  const ThreadAlgorithm algorithm_;
  const std::vector<storage::MessageKeys>& keys_;
  const storage::MailboxVersion& view_;
  const UidForm form_;
};

server::Awaitable<void> write_threads(Context& context, const ThreadForest& forest) {
  Writer out = context.out();
  ThreadResponse response(forest);
  response.start(out);
  while (response.write_some(out, threaded_at_once)) co_await context.flush_if_large();
}

}  // namespace

Answer run_thread(Context& context, ThreadArgs arguments) {
  CO_TRY(accept_charset(context, arguments.charset, NamedCharset::utf8, Saves::no));
  auto found = co_await find_messages(context, std::move(arguments.key));
  UidSet uids = CO_TRY(std::move(found));
  auto read = co_await read_message_keys(context, std::move(uids), thread_columns(arguments.algorithm));
  const std::vector<storage::MessageKeys> keys = CO_TRY(std::move(read));
  BuildThreadsJob job(arguments.algorithm, keys, context.selected->view.messages(), context.uid_form);
  auto built = co_await context.gateway().run_beside(std::move(job));
  const ThreadForest forest = CO_TRY(std::move(built));
  co_await write_threads(context, forest);
  co_return Completion("Threaded");
}

}  // namespace postkeep::imap
