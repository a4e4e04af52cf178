// base_subject, message IDs and threading: the input is header blocks divided by empty lines, each a message. Whatever
// they say, each message is in each forest once, no deeper than there are messages, and a base subject is its own base.
#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/mail/base_subject.h"
#include "protocol/mail/threading.h"
#include "protocol/mime/collation_keys.h"
#include "protocol/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

namespace {

// Every message from 1 to `count` once, every dummy with several children.
void check_forest(const ThreadForest& forest, std::uint32_t count) {
  std::vector<bool> seen(count + 1, false);
  std::uint32_t found = 0;
  std::vector<std::uint32_t> waiting;
  if (forest.first_root != ThreadForest::none) waiting.push_back(forest.first_root);
  while (!waiting.empty()) {
    const ThreadForest::Node& node = forest.nodes.at(waiting.back());
    waiting.pop_back();
    fuzz::require(node.number <= count && !seen[node.number]);
    if (node.number != 0) {
      seen[node.number] = true;
      ++found;
    } else {
      fuzz::require(node.first_child != ThreadForest::none);
      fuzz::require(forest.nodes.at(node.first_child).next_sibling != ThreadForest::none);
    }
    if (node.next_sibling != ThreadForest::none) waiting.push_back(node.next_sibling);
    if (node.first_child != ThreadForest::none) waiting.push_back(node.first_child);
  }
  fuzz::require(found == count);
}

Hash128 hash_of(const std::string& id) { return id.empty() ? Hash128() : Hash128{std::hash<std::string>{}(id), 1}; }

void check_subject(std::string_view raw) {
  const std::string base = base_subject(raw).text;
  fuzz::require(text::is_valid_utf8(base));
  // What is left could be read as an encoded word that was not one before.
  if (base.find("=?") == std::string::npos) fuzz::require(base_subject(base).text == base);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  SubjectThreads by_subject;
  ReferenceThreads references;
  ReferenceThreads refs;
  std::deque<std::string> subjects;  // which are looked at to the end
  std::uint32_t count = 0;
  while (!rest.empty()) {
    const std::string_view header = rest.substr(0, rest.find("\n\n"));
    rest.remove_prefix(std::min(header.size() + 2, rest.size()));
    const std::vector<mime::HeaderField> fields = mime::read_header(header);
    const mime::HeaderField* subject = mime::find_field(fields, "Subject");
    if (subject != nullptr) check_subject(subject->value);
    for (const SortKey key : {SortKey::cc, SortKey::from, SortKey::display_from, SortKey::display_to}) {
      fuzz::require(mime::collation_key(key, fields).size() <= mime::collation_key_octets_max);
    }
    ReferenceThreads::Message message;
    message.number = ++count;
    message.sent = mime::sent_date(fields, UnixTime{count});
    message.id = hash_of(mime::message_id_of(fields));
    std::vector<Hash128> ancestors;
    for (const std::string& id : mime::references_of(fields)) ancestors.push_back(hash_of(id));
    message.references = ancestors;
    mime::ThreadSubject thread_subject = mime::thread_subject(fields);
    message.subject = subjects.emplace_back(std::move(thread_subject.key));
    message.is_reply = thread_subject.is_reply;
    by_subject.add(count, message.sent, message.subject);
    refs.add(message);
    references.add(message);
  }
  check_forest(by_subject.finish(), count);
  check_forest(references.finish_references(), count);
  check_forest(refs.finish_refs(), count);
  return 0;
}
