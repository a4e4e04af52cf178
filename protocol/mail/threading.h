// Threads: which message answers which. RFC 5256 §3 (THREAD): ORDEREDSUBJECT and REFERENCES; REFS of
// draft-ietf-morg-inthread, as other servers have it: by references alone, threads by their latest sent date.
// Fed by server/imap/commands/thread with what mime/collation_keys reads; written by imap/responses/thread. Pure.
// O(n log n) in messages and references, whatever they say; no recursion, so a chain of replies may be of any length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/base/hash128.h"
#include "protocol/mail/date_time.h"
#include "protocol/mail/link_cut_forest.h"

namespace postkeep {

// Threads in the order in which they are told; siblings likewise.
struct ThreadForest {
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Node {
    std::uint32_t number = 0;  // the message's; 0: a parent that is not there, with several children
    std::uint32_t first_child = none;
    std::uint32_t next_sibling = none;
  };
  std::vector<Node> nodes;
  std::uint32_t first_root = none;  // its siblings are the other threads
};

// ORDEREDSUBJECT: messages with the same base subject, the earliest on top, all others its children.
class SubjectThreads {
 public:
  // In ascending order of numbers. `subject` is folded, and is there until finish() returns.
  void add(std::uint32_t number, UnixTime sent, std::string_view subject);
  ThreadForest finish();  // once

 private:
  struct Message {
    std::uint32_t number;
    UnixTime sent;
  };
  std::vector<Message> messages_;
  std::vector<std::string_view> subjects_;
};

// REFERENCES and REFS. Message IDs come as hashes of which senders do not know the key, so that they cannot choose what
// collides.
class ReferenceThreads {
 public:
  struct Message {
    std::uint32_t number = 0;
    UnixTime sent;
    Hash128 id;                           // zero if it has none
    std::span<const Hash128> references;  // oldest first
    std::string_view subject;             // of the base subject, folded; not looked at by REFS; there until the end
    bool is_reply = false;                // not looked at by REFS either
  };
  // Room for so many messages is taken at once.
  explicit ReferenceThreads(std::size_t messages = 0);
  // In ascending order of numbers.
  void add(const Message& message);
  ThreadForest finish_references();  // one of the two, once
  ThreadForest finish_refs();

 private:
  using NodeId = LinkCutForest::NodeId;
  static constexpr NodeId none = UINT32_MAX;
  // A message, or what is only referred to: then number is 0.
  struct Node {
    std::uint32_t number = 0;
    NodeId parent = none;
    UnixTime sent;
    std::string_view subject;
    bool is_reply = false;
    bool had_child = false;
    bool is_dummy() const { return number == 0; }
  };

  class Finish;
  class IdTable {
   public:
    void reserve(std::size_t ids);
    NodeId& at(const Hash128& id);  // none: it is new, and gets its node at once

   private:
    struct Slot {
      Hash128 id;
      NodeId node = none;
    };
    void resize(std::size_t slots);
    std::vector<Slot> slots_;
    std::size_t count_ = 0;
  };

  NodeId add_node();
  NodeId node_of_id(const Hash128& id);
  NodeId node_of_message(const Hash128& id);
  bool may_link(NodeId parent, NodeId child);  // of a child that has no parent
  void link(NodeId parent, NodeId child);
  void cut(NodeId child);

  std::vector<Node> nodes_;
  IdTable ids_;
  LinkCutForest trees_;
};

}  // namespace postkeep
