#include "protocol/mail/threading.h"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <string_view>
#include <tuple>
#include <utility>

#include "protocol/mail/word_order.h"

namespace postkeep {
namespace {

// Puts nodes behind the siblings that they have already.
class ForestBuilder {
 public:
  explicit ForestBuilder(std::size_t nodes) : last_child_(nodes, ThreadForest::none) { forest_.nodes.resize(nodes); }

  void set_number(std::uint32_t node, std::uint32_t number) { forest_.nodes[node].number = number; }
  // Under `parent`; none: as a thread.
  void append(std::uint32_t parent, std::uint32_t node) {
    const bool is_root = parent == ThreadForest::none;
    std::uint32_t& last = is_root ? last_root_ : last_child_[parent];
    if (last != ThreadForest::none) {
      forest_.nodes[last].next_sibling = node;
    } else if (is_root) {
      forest_.first_root = node;
    } else {
      forest_.nodes[parent].first_child = node;
    }
    last = node;
  }
  ThreadForest take() { return std::move(forest_); }

 private:
  ThreadForest forest_;
  std::vector<std::uint32_t> last_child_;
  std::uint32_t last_root_ = ThreadForest::none;
};

}  // namespace

void SubjectThreads::add(std::uint32_t number, UnixTime sent, std::string_view subject) {
  messages_.push_back(Message{number, sent});
  subjects_.push_back(subject);
}

ThreadForest SubjectThreads::finish() {
  const std::vector<std::uint32_t> groups = number_texts(subjects_);
  std::vector<std::uint32_t> order(messages_.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto by_date = [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(messages_[a].sent, messages_[a].number) < std::tie(messages_[b].sent, messages_[b].number);
  };
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return groups[a] != groups[b] ? groups[a] < groups[b] : by_date(a, b);
  });
  ForestBuilder builder(messages_.size());
  std::vector<std::uint32_t> heads;
  for (const std::uint32_t message : order) {
    builder.set_number(message, messages_[message].number);
    if (heads.empty() || groups[heads.back()] != groups[message]) {
      heads.push_back(message);
    } else {
      builder.append(heads.back(), message);
    }
  }
  std::sort(heads.begin(), heads.end(), by_date);
  for (const std::uint32_t head : heads) builder.append(ThreadForest::none, head);
  return builder.take();
}

// Open addressing; at most half full. The hashes are as good as random.
ReferenceThreads::NodeId& ReferenceThreads::IdTable::at(const Hash128& id) {
  if (count_ * 2 >= slots_.size()) resize(std::max<std::size_t>(64, slots_.size() * 2));
  std::size_t slot = id.low & (slots_.size() - 1);
  while (slots_[slot].node != none && slots_[slot].id != id) slot = (slot + 1) & (slots_.size() - 1);
  if (slots_[slot].node == none) {
    slots_[slot].id = id;
    ++count_;
  }
  return slots_[slot].node;
}

void ReferenceThreads::IdTable::reserve(std::size_t ids) {
  resize(std::bit_ceil(std::max<std::size_t>(64, ids * 2 + 1)));
}

void ReferenceThreads::IdTable::resize(std::size_t slots) {
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
  for (const Slot& full : old) {
    if (full.node == none) continue;
    std::size_t slot = full.id.low & (slots_.size() - 1);
    while (slots_[slot].node != none) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = full;
  }
}

ReferenceThreads::ReferenceThreads(std::size_t messages) {
  nodes_.reserve(messages);
  trees_.reserve(messages);
  ids_.reserve(messages);
}

ReferenceThreads::NodeId ReferenceThreads::add_node() {
  nodes_.emplace_back();
  return trees_.add();
}

ReferenceThreads::NodeId ReferenceThreads::node_of_id(const Hash128& id) {
  NodeId& node = ids_.at(id);
  if (node == none) node = add_node();
  return node;
}

// A message without an ID, or with one that another message has already, is known to nobody.
ReferenceThreads::NodeId ReferenceThreads::node_of_message(const Hash128& id) {
  if (id == Hash128()) return add_node();
  const NodeId node = node_of_id(id);
  return nodes_[node].is_dummy() ? node : add_node();
}

// Without children it is above nobody; that is so of nearly all mail, which comes after what it answers.
bool ReferenceThreads::may_link(NodeId parent, NodeId child) {
  if (!nodes_[child].had_child) return parent != child;
  return trees_.root_of(parent) != child;
}

void ReferenceThreads::link(NodeId parent, NodeId child) {
  nodes_[child].parent = parent;
  nodes_[parent].had_child = true;
  trees_.link(child, parent);
}

void ReferenceThreads::cut(NodeId child) {
  nodes_[child].parent = none;
  trees_.cut(child);
}

// RFC 5256 §3, REFERENCES step 1.
void ReferenceThreads::add(const Message& message) {
  const NodeId own = node_of_message(message.id);
  nodes_[own].number = message.number;
  nodes_[own].sent = message.sent;
  nodes_[own].subject = message.subject;
  nodes_[own].is_reply = message.is_reply;
  NodeId last = none;
  for (const Hash128& id : message.references) {
    const NodeId next = node_of_id(id);
    // What already has a parent keeps it: the list may have been shortened.
    if (last != none && nodes_[next].parent == none && may_link(last, next)) link(last, next);
    last = next;
  }
  // The message itself knows its parent better than those that name both.
  if (nodes_[own].parent == last) return;
  if (nodes_[own].parent != none) cut(own);
  if (last != none && may_link(last, own)) link(last, own);
}

// Steps 2 to 6, over nodes whose parents are known. A dummy is "gone" once it is not in the tree any more.
class ReferenceThreads::Finish {
 public:
  explicit Finish(std::vector<Node> nodes) : nodes_(std::move(nodes)), gone_(nodes_.size(), false) { prune(); }

  ThreadForest references() {
    merge_subjects();
    return build(earliest());
  }
  ThreadForest refs() { return build(latest()); }

 private:
  std::vector<NodeId> parents_first() const;
  void prune();
  bool is_earlier(NodeId a, NodeId b) const {
    return std::tie(nodes_[a].sent, nodes_[a].number) < std::tie(nodes_[b].sent, nodes_[b].number);
  }
  std::vector<NodeId> earliest() const;
  std::vector<NodeId> latest() const;
  // A node, and what it stands in the order by.
  struct Dated {
    UnixTime sent;
    std::uint32_t number = 0;
    NodeId node = none;
    bool operator<(const Dated& other) const { return std::tie(sent, number) < std::tie(other.sent, other.number); }
  };
  // Mail mostly comes in the order in which it was sent.
  template <class Iterator>
  static void sort_dated(Iterator begin, Iterator end) {
    if (!std::is_sorted(begin, end)) std::sort(begin, end);
  }
  Dated dated(NodeId node, NodeId by) const { return Dated{nodes_[by].sent, nodes_[by].number, node}; }
  std::vector<Dated> threads(const std::vector<NodeId>& sort_by) const;
  std::vector<Dated> children(std::vector<std::size_t>& ends) const;
  struct Thread {
    NodeId node = none;
    std::size_t group = 0;  // of threads with the same subject
  };
  std::vector<Thread> group_by_subject(std::vector<NodeId>& table) const;
  void merge(NodeId thread, NodeId& in_table);
  void merge_subjects();
  NodeId add_dummy();
  ThreadForest build(const std::vector<NodeId>& sort_by);

  std::vector<Node> nodes_;
  std::vector<bool> gone_;
  std::vector<NodeId> order_;        // parents_first()
  std::map<NodeId, NodeId> merged_;  // a dummy that is gone, and the one that has its children now
};

// All nodes, parents before their children.
std::vector<ReferenceThreads::NodeId> ReferenceThreads::Finish::parents_first() const {
  std::vector<NodeId> first_child(nodes_.size(), none);
  std::vector<NodeId> next_sibling(nodes_.size(), none);
  std::vector<NodeId> order;
  order.reserve(nodes_.size());
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    const NodeId parent = nodes_[node].parent;
    if (parent == none) {
      order.push_back(node);
    } else {
      next_sibling[node] = std::exchange(first_child[parent], node);
    }
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (NodeId child = first_child[order[i]]; child != none; child = next_sibling[child]) order.push_back(child);
  }
  return order;
}

// Step 3. Children of a dummy move up until they come to a message, or to a dummy on top; that one stays if it has
// several children.
void ReferenceThreads::Finish::prune() {
  order_ = parents_first();
  std::vector<std::uint32_t> children(nodes_.size(), 0);
  for (const NodeId node : order_) {
    const NodeId parent = nodes_[node].parent;
    if (parent != none && nodes_[parent].is_dummy() && nodes_[parent].parent != none) {
      nodes_[node].parent = nodes_[parent].parent;
    }
    if (!nodes_[node].is_dummy() && nodes_[node].parent != none) ++children[nodes_[node].parent];
  }
  for (const NodeId node : order_) {
    const NodeId parent = nodes_[node].parent;
    if (nodes_[node].is_dummy()) {
      gone_[node] = parent != none || children[node] < 2;
    } else if (parent != none && nodes_[parent].is_dummy() && children[parent] == 1) {
      nodes_[node].parent = none;
    }
  }
}

// For each node the message whose date counts: itself, or a dummy's earliest child.
std::vector<ReferenceThreads::NodeId> ReferenceThreads::Finish::earliest() const {
  std::vector<NodeId> dated(nodes_.size(), none);
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node].is_dummy()) continue;
    dated[node] = node;
    const NodeId parent = nodes_[node].parent;
    if (parent == none || !nodes_[parent].is_dummy()) continue;
    if (dated[parent] == none || is_earlier(node, dated[parent])) dated[parent] = node;
  }
  return dated;
}

// For each thread its latest message. What is no thread has something, too.
std::vector<ReferenceThreads::NodeId> ReferenceThreads::Finish::latest() const {
  std::vector<NodeId> root(nodes_.size(), none);
  std::vector<NodeId> newest(nodes_.size(), none);
  for (const NodeId node : order_) {
    const NodeId parent = nodes_[node].parent;
    root[node] = parent == none ? node : root[parent];
    if (nodes_[node].is_dummy()) continue;
    NodeId& known = newest[root[node]];
    if (known == none || is_earlier(known, node)) known = node;
  }
  return newest;
}

std::vector<ReferenceThreads::Finish::Dated> ReferenceThreads::Finish::threads(
    const std::vector<NodeId>& sort_by) const {
  std::vector<Dated> roots;
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node].parent == none && !gone_[node]) roots.push_back(dated(node, sort_by[node]));
  }
  sort_dated(roots.begin(), roots.end());
  return roots;
}

// Steps 4, 5A and 5B. `table` gets the message of each subject.
std::vector<ReferenceThreads::Finish::Thread> ReferenceThreads::Finish::group_by_subject(
    std::vector<NodeId>& table) const {
  const std::vector<NodeId> sort_by = earliest();
  std::vector<Thread> found;
  std::vector<std::string_view> subjects;
  for (const Dated& root : threads(sort_by)) {
    const std::string_view subject = nodes_[sort_by[root.node]].subject;
    if (subject.empty()) continue;
    found.push_back(Thread{root.node, 0});
    subjects.push_back(subject);
  }
  const std::vector<std::uint32_t> groups = number_texts(subjects);
  table.assign(found.size(), none);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const NodeId node = found[i].node;
    found[i].group = groups[i];
    NodeId& known = table[groups[i]];
    if (known == none) {
      known = node;
      continue;
    }
    const bool more_original = nodes_[known].is_reply && !nodes_[node].is_reply;
    if (!nodes_[known].is_dummy() && (nodes_[node].is_dummy() || more_original)) known = node;
  }
  return found;
}

ReferenceThreads::NodeId ReferenceThreads::Finish::add_dummy() {
  nodes_.emplace_back();
  gone_.push_back(false);
  return static_cast<NodeId>(nodes_.size() - 1);
}

// Step 5C for one thread.
void ReferenceThreads::Finish::merge(NodeId thread, NodeId& in_table) {
  if (thread == in_table || nodes_[thread].parent != none) return;
  if (nodes_[thread].is_dummy() && nodes_[in_table].is_dummy()) {
    merged_[thread] = in_table;
    gone_[thread] = true;
  } else if (nodes_[in_table].is_dummy() || (nodes_[thread].is_reply && !nodes_[in_table].is_reply)) {
    nodes_[thread].parent = in_table;
  } else {
    const NodeId dummy = add_dummy();
    nodes_[thread].parent = dummy;
    nodes_[in_table].parent = dummy;
    in_table = dummy;
  }
}

void ReferenceThreads::Finish::merge_subjects() {
  std::vector<NodeId> table;
  for (const Thread& thread : group_by_subject(table)) merge(thread.node, table[thread.group]);
  if (merged_.empty()) return;
  for (Node& node : nodes_) {
    const auto merged = merged_.find(node.parent);
    if (merged != merged_.end()) node.parent = merged->second;
  }
}

// The messages that have a parent, by it; those of one parent in order. `ends` gets where each node's children end.
std::vector<ReferenceThreads::Finish::Dated> ReferenceThreads::Finish::children(std::vector<std::size_t>& ends) const {
  const auto is_child = [](const Node& node) { return !node.is_dummy() && node.parent != none; };
  ends.assign(nodes_.size(), 0);
  for (const Node& node : nodes_) {
    if (is_child(node)) ++ends[node.parent];
  }
  std::size_t begin = 0;
  for (std::size_t& end : ends) begin += std::exchange(end, begin);
  std::vector<Dated> found(begin);
  for (NodeId node = 0; node < nodes_.size(); ++node) {
    if (is_child(nodes_[node])) found[ends[nodes_[node].parent]++] = dated(node, node);
  }
  begin = 0;
  for (const std::size_t end : ends) {
    const auto at = [&](std::size_t place) { return found.begin() + static_cast<std::ptrdiff_t>(place); };
    sort_dated(at(std::exchange(begin, end)), at(end));
  }
  return found;
}

// Step 6. Only threads can be dummies, so all siblings below are in the order of their own dates.
ThreadForest ReferenceThreads::Finish::build(const std::vector<NodeId>& sort_by) {
  ForestBuilder builder(nodes_.size());
  for (NodeId node = 0; node < nodes_.size(); ++node) builder.set_number(node, nodes_[node].number);
  std::vector<std::size_t> ends;
  for (const Dated& child : children(ends)) builder.append(nodes_[child.node].parent, child.node);
  for (const Dated& root : threads(sort_by)) builder.append(ThreadForest::none, root.node);
  return builder.take();
}

ThreadForest ReferenceThreads::finish_references() { return Finish(std::move(nodes_)).references(); }
ThreadForest ReferenceThreads::finish_refs() { return Finish(std::move(nodes_)).refs(); }

}  // namespace postkeep
