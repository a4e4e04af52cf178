// Threads: which message answers which. RFC 5256 §3 (THREAD): ORDEREDSUBJECT and REFERENCES; REFS of
// draft-ietf-morg-inthread, as other servers have it: by references alone, threads by their latest sent date.
// Fed by server/imap/commands/thread with what mime/collation_keys reads; written by imap/responses/thread. Pure.
// O(n log n) in messages and references, whatever they say; no recursion, so a chain of replies may be of any length.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

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
  // In ascending order of numbers. `subject` is folded.
  void add(std::uint32_t number, UnixTime sent, std::string subject);
  ThreadForest finish();  // once

 private:
  struct Message {
    std::uint32_t number;
    UnixTime sent;
    std::string subject;
  };
  std::vector<Message> messages_;
};

// REFERENCES and REFS.
class ReferenceThreads {
 public:
  struct Message {
    std::uint32_t number = 0;
    UnixTime sent;
    std::string id;                       // normalised, "" if it has none
    std::vector<std::string> references;  // normalised, oldest first
    std::string subject;                  // of the base subject, folded; not looked at by REFS
    bool is_reply = false;                // likewise
  };
  // In ascending order of numbers.
  void add(Message message);
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
    std::string subject;
    bool is_reply = false;
    bool is_dummy() const { return number == 0; }
  };

  class Finish;

  NodeId add_node();
  NodeId node_of_id(const std::string& id);
  NodeId node_of_message(const std::string& id);
  bool may_link(NodeId parent, NodeId child);  // of a child that has no parent
  void link(NodeId parent, NodeId child);
  void cut(NodeId child);

  std::vector<Node> nodes_;
  std::map<std::string, NodeId> ids_;  // a hash would let senders choose what collides
  LinkCutForest trees_;
};

}  // namespace postkeep
