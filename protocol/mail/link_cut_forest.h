// LinkCutForest: trees that are joined and cut, and that know each node's root in O(log n) amortised, however deep they
// are (Sleator and Tarjan's link/cut trees). Used by mail/threading to see loops among a million replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace postkeep {

// Each tree is cut into paths; each path is a splay tree ordered by depth, whose topmost node knows the parent of the
// path's upper end. No recursion.
class LinkCutForest {
 public:
  using NodeId = std::uint32_t;

  void reserve(std::size_t nodes) { nodes_.reserve(nodes); }
  // A new tree of one node. Numbers are given out from 0.
  NodeId add();
  NodeId root_of(NodeId node);
  void link(NodeId root, NodeId parent);  // `root` is the root of another tree than `parent`'s
  void cut(NodeId node);                  // from its parent, which it has

 private:
  static constexpr NodeId none = UINT32_MAX;
  struct Node {
    NodeId parent = none;  // in the splay tree; of the topmost node: the path's parent in the tree
    NodeId left = none;    // nearer to the root
    NodeId right = none;
  };
  bool is_topmost(NodeId node) const;
  void rotate(NodeId node);
  void splay(NodeId node);
  void expose(NodeId node);  // makes the way from the root down to the node one path, with the node topmost

  std::vector<Node> nodes_;
};

}  // namespace postkeep
