#include "protocol/imap/responses/thread.h"

namespace postkeep::imap {

void ThreadResponse::start(Writer& writer) {
  writer.raw("* THREAD");
  if (forest_.first_root != ThreadForest::none) writer.sp();
  siblings_.push_back(forest_.first_root);
}

bool ThreadResponse::write_some(Writer& writer, std::size_t count) {
  for (; count > 0; --count) {
    if (node_ == ThreadForest::none && !open_next(writer)) {
      writer.crlf();
      return false;
    }
    write_member(writer);
  }
  return true;
}

// Begins the next list, behind the end of all that end here. False if there is none.
bool ThreadResponse::open_next(Writer& writer) {
  while (siblings_.back() == ThreadForest::none) {
    siblings_.pop_back();
    if (siblings_.empty()) return false;
    writer.close();  // the list in which these were
  }
  node_ = siblings_.back();
  siblings_.back() = forest_.nodes[node_].next_sibling;
  writer.open();
  list_has_member_ = false;
  return true;
}

// An only child stands behind its parent; several are lists within the list.
void ThreadResponse::write_member(Writer& writer) {
  const ThreadForest::Node& node = forest_.nodes[node_];
  if (node.number != 0) {
    if (list_has_member_) writer.sp();
    writer.number(node.number);
    list_has_member_ = true;
  }
  node_ = ThreadForest::none;
  if (node.first_child == ThreadForest::none) {
    writer.close();
  } else if (forest_.nodes[node.first_child].next_sibling == ThreadForest::none) {
    node_ = node.first_child;
  } else {
    if (list_has_member_) writer.sp();
    siblings_.push_back(node.first_child);
  }
}

}  // namespace postkeep::imap
