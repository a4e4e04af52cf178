#include "protocol/mail/link_cut_forest.h"

namespace postkeep {

LinkCutForest::NodeId LinkCutForest::add() {
  nodes_.emplace_back();
  return static_cast<NodeId>(nodes_.size() - 1);
}

bool LinkCutForest::is_topmost(NodeId node) const {
  const NodeId parent = nodes_[node].parent;
  return parent == none || (nodes_[parent].left != node && nodes_[parent].right != node);
}

void LinkCutForest::rotate(NodeId node) {
  const NodeId parent = nodes_[node].parent;
  const NodeId grandparent = nodes_[parent].parent;
  if (!is_topmost(parent))
    (nodes_[grandparent].left == parent ? nodes_[grandparent].left : nodes_[grandparent].right) = node;
  const bool is_left = nodes_[parent].left == node;
  NodeId& outer = is_left ? nodes_[parent].left : nodes_[parent].right;
  NodeId& inner = is_left ? nodes_[node].right : nodes_[node].left;
  outer = inner;
  if (inner != none) nodes_[inner].parent = parent;
  inner = parent;
  nodes_[parent].parent = node;
  nodes_[node].parent = grandparent;
}

void LinkCutForest::splay(NodeId node) {
  while (!is_topmost(node)) {
    const NodeId parent = nodes_[node].parent;
    if (!is_topmost(parent)) {
      const NodeId grandparent = nodes_[parent].parent;
      const bool straight = (nodes_[parent].left == node) == (nodes_[grandparent].left == parent);
      rotate(straight ? parent : node);
    }
    rotate(node);
  }
}

void LinkCutForest::expose(NodeId node) {
  splay(node);
  nodes_[node].right = none;
  while (nodes_[node].parent != none) {
    const NodeId above = nodes_[node].parent;
    splay(above);
    nodes_[above].right = node;
    splay(node);
  }
}

LinkCutForest::NodeId LinkCutForest::root_of(NodeId node) {
  expose(node);
  NodeId root = node;
  while (nodes_[root].left != none) root = nodes_[root].left;
  splay(root);  // pays for the way down
  return root;
}

void LinkCutForest::link(NodeId root, NodeId parent) {
  expose(parent);
  expose(root);
  nodes_[root].parent = parent;
}

void LinkCutForest::cut(NodeId node) {
  expose(node);
  nodes_[nodes_[node].left].parent = none;
  nodes_[node].left = none;
}

}  // namespace postkeep
