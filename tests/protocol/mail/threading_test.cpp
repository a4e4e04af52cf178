#include "protocol/mail/threading.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "protocol/imap/responses/thread.h"
#include "protocol/mail/base_subject.h"
#include "tests/support/random.h"

using namespace postkeep;

namespace {

// A message that owns what it says.
struct Message {
  std::uint32_t number = 0;
  UnixTime sent;
  std::string id;
  std::vector<std::string> references;
  std::string subject;
  bool is_reply = false;
};

Hash128 hash_of(const std::string& id) { return id.empty() ? Hash128() : Hash128{std::hash<std::string>{}(id), 1}; }

void add_to(ReferenceThreads& threads, const Message& message) {
  std::vector<Hash128> references;
  for (const std::string& id : message.references) references.push_back(hash_of(id));
  threads.add(ReferenceThreads::Message{message.number, message.sent, hash_of(message.id), references, message.subject,
                                        message.is_reply});
}

std::string show(const ThreadForest& forest) {
  std::string out;
  imap::Writer writer(out);
  imap::ThreadResponse response(forest);
  response.start(writer);
  while (response.write_some(writer, 1000)) {
  }
  return out.substr(8, out.size() - 10);  // without "* THREAD" and CRLF
}

// A message in one line: its number is its place, its subject as it stands in a header.
struct Mail {
  std::int64_t date;
  std::string id;
  std::vector<std::string> references;
  std::string subject = "";
};

std::vector<Message> messages_of(const std::vector<Mail>& mails) {
  std::vector<Message> messages;
  for (const Mail& mail : mails) {
    const BaseSubject base = base_subject(mail.subject);
    messages.push_back(Message{static_cast<std::uint32_t>(messages.size() + 1), UnixTime{mail.date}, mail.id,
                               mail.references, base.text, base.is_reply});
  }
  return messages;
}

std::string threads_of(const std::vector<Mail>& mails, ThreadForest (ReferenceThreads::*finish)()) {
  const std::vector<Message> messages = messages_of(mails);  // whose subjects are looked at to the end
  ReferenceThreads threads(mails.size() / 2);
  for (const Message& message : messages) add_to(threads, message);
  return show((threads.*finish)());
}

std::string references(const std::vector<Mail>& mails) {
  return threads_of(mails, &ReferenceThreads::finish_references);
}
std::string refs(const std::vector<Mail>& mails) { return threads_of(mails, &ReferenceThreads::finish_refs); }

std::string ordered_subject(const std::vector<Mail>& mails) {
  SubjectThreads threads;
  const std::vector<Message> messages = messages_of(mails);
  for (const Message& message : messages) threads.add(message.number, message.sent, message.subject);
  return show(threads.finish());
}

// RFC 5256 §3 to the letter: trees of pointers, walked up and down.
class NaiveThreads {
 public:
  // The messages outlive it.
  explicit NaiveThreads(const std::vector<Message>& messages) {
    for (const Message& message : messages) link(message);  // step 1
    for (const auto& node : all_) {                         // step 2
      if (node->parent == nullptr) roots_.push_back(node.get());
    }
    prune(roots_, true);  // step 3
  }

  std::string references() {
    sort_all(roots_);  // steps 4 and 6: sorting more than is asked for, and again, does no harm
    gather();
    sort_all(roots_);
    return told();
  }
  std::string refs() {
    sort_all(roots_);
    std::sort(roots_.begin(), roots_.end(), [](const Node* a, const Node* b) { return latest(*a) < latest(*b); });
    return told();
  }

 private:
  struct Node {
    const Message* message = nullptr;
    Node* parent = nullptr;
    std::vector<Node*> children;
    bool is_dummy() const { return message == nullptr; }
  };
  using Nodes = std::vector<Node*>;
  using When = std::pair<std::int64_t, std::uint32_t>;

  Node* make() { return all_.emplace_back(std::make_unique<Node>()).get(); }
  Node* by_id(const std::string& id) {
    Node*& node = ids_[id];
    if (node == nullptr) node = make();
    return node;
  }
  static bool is_ancestor(const Node* node, const Node* of) {
    for (; of != nullptr; of = of->parent) {
      if (of == node) return true;
    }
    return false;
  }
  static void adopt(Node* parent, Node* child) {
    if (is_ancestor(child, parent)) return;
    child->parent = parent;
    parent->children.push_back(child);
  }
  static void orphan(Node* child) {
    if (child->parent != nullptr) std::erase(child->parent->children, child);
    child->parent = nullptr;
  }

  void link(const Message& message) {
    Node* own = message.id.empty() ? make() : by_id(message.id);
    if (!own->is_dummy()) own = make();
    own->message = &message;
    Node* last = nullptr;
    for (const std::string& id : message.references) {
      Node* next = by_id(id);
      if (last != nullptr && next->parent == nullptr) adopt(last, next);
      last = next;
    }
    if (own->parent != nullptr && own->parent == last) return;
    orphan(own);
    if (last != nullptr) adopt(last, own);
  }

  static void prune(Nodes& siblings, bool top) {
    Nodes kept;
    for (Node* node : siblings) {
      prune(node->children, false);
      if (!node->is_dummy()) {
        kept.push_back(node);
      } else if (!top || node->children.size() == 1) {
        kept.insert(kept.end(), node->children.begin(), node->children.end());
      } else if (!node->children.empty()) {
        kept.push_back(node);
      }
    }
    siblings = kept;
  }

  static When when(const Node& node) {
    if (node.is_dummy()) return when(*node.children.front());
    return {node.message->sent.seconds, node.message->number};
  }
  static When latest(const Node& node) {
    When found = when(node);
    for (const Node* child : node.children) found = std::max(found, latest(*child));
    return found;
  }
  static void sort_all(Nodes& siblings) {
    for (Node* node : siblings) sort_all(node->children);
    std::sort(siblings.begin(), siblings.end(), [](const Node* a, const Node* b) { return when(*a) < when(*b); });
  }

  static const Message& lead(const Node& node) {
    return node.is_dummy() ? *node.children.front()->message : *node.message;
  }
  static bool is_reply(const Node& node) { return !node.is_dummy() && node.message->is_reply; }

  void gather() {
    std::map<std::string, Node*> table;
    for (Node* node : roots_) {
      const std::string& subject = lead(*node).subject;
      if (subject.empty()) continue;
      Node*& known = table[subject];
      if (known == nullptr || (!known->is_dummy() && (node->is_dummy() || (is_reply(*known) && !is_reply(*node))))) {
        known = node;
      }
    }
    for (Node* node : Nodes(roots_)) {
      const auto place = std::find(roots_.begin(), roots_.end(), node);
      if (place == roots_.end() || lead(*node).subject.empty()) continue;
      Node*& known = table.at(lead(*node).subject);
      if (known == node) continue;
      roots_.erase(place);
      if (node->is_dummy() && known->is_dummy()) {
        known->children.insert(known->children.end(), node->children.begin(), node->children.end());
      } else if (known->is_dummy() || (is_reply(*node) && !is_reply(*known))) {
        known->children.push_back(node);
      } else {
        Node* dummy = make();
        dummy->children = {node, known};
        std::replace(roots_.begin(), roots_.end(), known, dummy);
        known = dummy;
      }
    }
  }

  static std::string told(const Node& node) {
    std::string text = node.is_dummy() ? "" : std::to_string(node.message->number);
    if (node.children.size() == 1) {
      text += (text.empty() ? "" : " ") + told(*node.children.front());
    } else if (!node.children.empty()) {
      if (!text.empty()) text += ' ';
      for (const Node* child : node.children) text += "(" + told(*child) + ")";
    }
    return text;
  }
  std::string told() const {
    std::string text = roots_.empty() ? "" : " ";
    for (const Node* node : roots_) text += "(" + told(*node) + ")";
    return text;
  }

  std::vector<std::unique_ptr<Node>> all_;
  std::map<std::string, Node*> ids_;
  Nodes roots_;
};

}  // namespace

TEST_CASE("ORDEREDSUBJECT groups by base subject, the earliest on top and all others below it") {
  CHECK(ordered_subject({}).empty());
  CHECK(ordered_subject(
            {{5, "", {}, "b"}, {3, "", {}, "Re: a"}, {4, "", {}, "Re: b"}, {2, "", {}, "[x] a"}, {9, "", {}, "b"}}) ==
        " (4 2)(3 (1)(5))");
  CHECK(ordered_subject({{1, "", {}, "x"}, {1, "", {}, "y"}, {1, "", {}, "x"}}) == " (1 3)(2)");  // numbers break ties
  CHECK(ordered_subject({{2, "", {}, ""}, {1, "", {}, "Re:"}}) == " (2 1)");  // no subject is one, too
}

TEST_CASE("REFERENCES links a message to the last of its references") {
  CHECK(references({}).empty());
  CHECK(references({{1, "a", {}}, {2, "b", {"a"}}, {3, "c", {"a", "b"}}, {4, "d", {"a"}}}) == " (1 (2 3)(4))");
  // In any order of arrival; siblings by date.
  CHECK(references({{4, "d", {"a"}}, {3, "c", {"a", "b"}}, {2, "b", {"a"}}, {1, "a", {}}}) == " (4 (3 2)(1))");
}

TEST_CASE("REFERENCES keeps together what answers a message that is not there") {
  CHECK(references({{2, "b", {"a"}}, {3, "c", {"a"}}}) == " ((1)(2))");
  CHECK(references({{2, "b", {"a"}}}) == " (1)");
  CHECK(references({{2, "c", {"a", "b"}}, {3, "d", {"a", "b", "x"}}}) == " ((1)(2))");  // dummies below dummies
  CHECK(references({{1, "a", {}}, {3, "c", {"a", "b"}}, {2, "d", {"a", "b"}}}) == " (1 (3)(2))");
}

TEST_CASE("a message's own references outweigh what others say, who outweigh nothing that is known") {
  // c says that b answers a, of which b knows nothing: it stands until b itself is seen.
  CHECK(references({{1, "a", {}}, {2, "b", {}}, {3, "c", {"a", "b"}}}) == " (1 2 3)");
  CHECK(references({{3, "c", {"a", "b"}}, {2, "b", {}}, {1, "a", {}}}) == " (3)(2 1)");
  CHECK(references({{3, "c", {"a", "b"}}, {2, "b", {"x"}}, {1, "a", {}}, {4, "x", {}}}) == " (3)(4 2 1)");
  CHECK(references({{1, "a", {}}, {2, "b", {"a"}}, {3, "c", {"x", "b"}}}) == " (1 2 3)");
}

TEST_CASE("loops of references end and no message is lost") {
  CHECK(references({{1, "a", {"a"}}}) == " (1)");
  CHECK(references({{1, "a", {"b"}}, {2, "b", {"a"}}}) == " (2 1)");
  CHECK(references({{1, "a", {"c"}}, {2, "b", {"a"}}, {3, "c", {"b"}}}) == " (3 1 2)");
  CHECK(references({{1, "a", {"x", "y", "x"}}, {2, "b", {"y", "x"}}}) == " ((1)(2))");
}

TEST_CASE("messages without an ID, or with one that another has, are known to nobody") {
  CHECK(references({{1, "", {}}, {2, "", {}}, {3, "b", {"a"}}}) == " (1)(2)(3)");
  CHECK(references({{1, "a", {}}, {2, "a", {}}, {3, "b", {"a"}}}) == " (1 3)(2)");
}

TEST_CASE("REFERENCES gathers threads with the same base subject") {
  CHECK(references({{1, "a", {}, "s"}, {2, "b", {}, "Re: s"}, {3, "c", {}, "Re: s"}}) == " (1 (2)(3))");
  CHECK(references({{1, "a", {}, "s"}, {2, "b", {}, "s"}}) == " ((1)(2))");          // two originals
  CHECK(references({{1, "a", {}, "Re: s"}, {2, "b", {}, "Re: s"}}) == " ((1)(2))");  // two replies
  CHECK(references({{1, "a", {}, "Re: s"}, {2, "b", {}, "s"}}) == " (2 1)");         // the reply has the earlier date
  CHECK(references({{1, "a", {}, ""}, {2, "b", {}, "Re:"}}) == " (1)(2)");           // no subject gathers nothing
  CHECK(references({{1, "a", {"x"}, "s"}, {2, "b", {"x"}, "s"}, {3, "c", {}, "s"}}) == " ((1)(2)(3))");
  CHECK(references({{1, "a", {"x"}, "s"}, {2, "b", {"x"}, "s"}, {3, "c", {"y"}, "s"}, {4, "d", {"y"}, "s"}}) ==
        " ((1)(2)(3)(4))");
  CHECK(references({{1, "a", {}, "s"}, {2, "b", {}, "s"}, {3, "c", {}, "Re: s"}}) == " ((1)(2)(3))");
}

TEST_CASE("REFS looks at no subject and orders threads by their latest message") {
  CHECK(refs({}).empty());
  CHECK(refs({{1, "a", {}, "s"}, {2, "b", {}, "Re: s"}, {9, "c", {"a"}}}) == " (2)(1 3)");
  CHECK(refs({{5, "b", {"a"}}, {4, "c", {"a"}}, {4, "d", {}}}) == " (3)((2)(1))");
}

TEST_CASE("REFERENCES and REFS of mail at random are what the steps give one by one") {
  test::Random random(1256);
  for (int round = 0; round < 4000; ++round) {
    const std::uint32_t count = 1 + random.below(14);
    const std::uint32_t ids = 1 + random.below(count + 3);
    const auto id = [&] { return std::string(1, static_cast<char>('a' + random.below(ids))); };
    const char* const subjects[] = {"s", "Re: s", "t", "Fwd: t", "u", "", "Re:"};
    std::vector<Mail> mails;
    for (std::uint32_t i = 0; i < count; ++i) {
      Mail mail{
          random.below(6), random.one_in(8) ? std::string() : id(), {}, subjects[random.below(std::size(subjects))]};
      for (std::uint32_t n = random.below(5); n > 0; --n) mail.references.push_back(id());
      mails.push_back(std::move(mail));
    }
    CAPTURE(round);
    const std::vector<Message> messages = messages_of(mails);
    REQUIRE(references(mails) == NaiveThreads(messages).references());
    REQUIRE(refs(mails) == NaiveThreads(messages).refs());
  }
}

TEST_CASE("a chain of a hundred thousand replies is one thread, in whatever order they come") {
  const std::uint32_t count = 100'000;
  enum class Order { as_sent, backwards, shuffled };
  for (const Order order : {Order::as_sent, Order::backwards, Order::shuffled}) {
    std::vector<std::uint32_t> sent(count);
    for (std::uint32_t i = 0; i < count; ++i) sent[i] = order == Order::backwards ? count - 1 - i : i;
    test::Random random(7);
    for (std::uint32_t i = count - 1; order == Order::shuffled && i > 0; --i)
      std::swap(sent[i], sent[random.below(i + 1)]);
    ReferenceThreads threads(order == Order::as_sent ? count : 0);
    for (std::uint32_t i = 0; i < count; ++i) {
      Message message;
      message.number = i + 1;
      message.sent.seconds = sent[i];
      message.id = std::to_string(sent[i]);
      for (std::uint32_t back = std::min(3U, sent[i]); back > 0; --back) {
        message.references.push_back(std::to_string(sent[i] - back));
      }
      add_to(threads, message);
    }
    const ThreadForest forest = threads.finish_references();
    std::uint32_t length = 0;
    for (std::uint32_t node = forest.first_root; node != ThreadForest::none; node = forest.nodes[node].first_child) {
      REQUIRE(forest.nodes[node].number != 0);
      if (sent[forest.nodes[node].number - 1] != length) break;
      if (forest.nodes[node].next_sibling != ThreadForest::none) break;
      ++length;
    }
    CHECK(length == count);
  }
}

TEST_CASE("subtrees hung below a deep chain over and over cost no walk up it") {
  const std::uint32_t depth = 50'000;
  ReferenceThreads threads;
  const auto add = [&](std::string id, std::vector<std::string> to, std::uint32_t number) {
    add_to(threads, Message{number, UnixTime{number}, std::move(id), std::move(to), {}, false});
  };
  std::uint32_t number = 0;
  for (std::uint32_t i = 0; i < depth; ++i) {
    const std::string parent = "c" + std::to_string(i);
    add("c" + std::to_string(i + 1), {parent}, ++number);
  }
  const std::string bottom = "c" + std::to_string(depth);
  for (std::uint32_t i = 0; i < depth; ++i) {
    const std::string name = std::to_string(i);
    add("y" + name, {"x" + name}, ++number);  // x has a child before it comes itself
    add("x" + name, {bottom}, ++number);
    add("z" + name, {"y" + name, "c1"}, ++number);  // and c1 is no child of what is below it
  }
  const ThreadForest forest = threads.finish_refs();
  CHECK(forest.nodes[forest.first_root].next_sibling == ThreadForest::none);
}
