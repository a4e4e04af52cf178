// THREAD and UID THREAD. RFC 5256 §3; THREAD=REFS: draft-ietf-morg-inthread.
#include <cstdint>
#include <span>
#include <utility>

#include "protocol/imap/responses/thread.h"
#include "protocol/mail/threading.h"
#include "protocol/mime/collation_keys.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/search.h"
#include "server/imap/message_keys.h"

namespace postkeep::imap {

namespace {

constexpr std::size_t threaded_at_once = 1000;  // messages written between two looks at the size of the output

class ThreadRows final : public MessageKeySink {
 public:
  explicit ThreadRows(ThreadAlgorithm algorithm) : algorithm_(algorithm) {}

  static storage::FetchWants wants() {
    storage::FetchWants wants;
    wants.dates = true;
    wants.headers = true;
    return wants;
  }

  void add(std::uint32_t number, const storage::MessageRow& row, std::span<const mime::HeaderField> fields) override {
    const UnixTime sent = mime::sent_date(fields, row.internal_date);
    if (algorithm_ == ThreadAlgorithm::ordered_subject) {
      by_subject_.add(number, sent, mime::thread_subject(fields).key);
      return;
    }
    ReferenceThreads::Message message;
    message.number = number;
    message.sent = sent;
    message.id = mime::message_id_of(fields);
    message.references = mime::references_of(fields);
    if (algorithm_ == ThreadAlgorithm::references) {
      mime::ThreadSubject subject = mime::thread_subject(fields);
      message.subject = std::move(subject.key);
      message.is_reply = subject.is_reply;
    }
    by_reference_.add(std::move(message));
  }

  ThreadForest finish() {
    switch (algorithm_) {
      case ThreadAlgorithm::ordered_subject:
        return by_subject_.finish();
      case ThreadAlgorithm::references:
        return by_reference_.finish_references();
      case ThreadAlgorithm::refs:
        break;
    }
    return by_reference_.finish_refs();
  }

 private:
  const ThreadAlgorithm algorithm_;
  SubjectThreads by_subject_;
  ReferenceThreads by_reference_;
};

// Beside the session's thread, as OrderJob of SORT. The rows outlive it.
class BuildThreadsJob {
 public:
  explicit BuildThreadsJob(ThreadRows& rows) : rows_(rows) {}
  Result<ThreadForest> operator()() const { return rows_.finish(); }

 private:
  ThreadRows& rows_;
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
  ThreadRows rows(arguments.algorithm);
  const Outcome read = co_await read_message_keys(context, std::move(uids), ThreadRows::wants(), rows);
  if (!read) co_return tl::unexpected<Error>(read.error());
  BuildThreadsJob job(rows);
  auto built = co_await context.gateway().run_beside(std::move(job));
  const ThreadForest forest = CO_TRY(std::move(built));
  co_await write_threads(context, forest);
  co_return Completion("Threaded");
}

}  // namespace postkeep::imap
