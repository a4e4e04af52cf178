// BoundedMap: a map that forgets rather than grows. Used by auth/guess_guard for what strangers make us remember. One
// thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

namespace postkeep::auth {

// Keeps entries in the order of their last use. A full one gives up, of the `looked_at` that were used longest ago, the
// one of least worth: whoever fills it with trifles drives out trifles.
template <class Key, class Value, class Hash = std::hash<Key>>
class BoundedMap {
 public:
  static constexpr std::size_t looked_at = 16;

  explicit BoundedMap(std::size_t entries_max) : entries_max_(entries_max) {}

  Value* find(const Key& key) {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &found->second->second;
  }

  // The value of the key, made if it is not there. `worth` is a function of a Value, a number; `forgotten` is called
  // with the Value that had to go.
  template <class Worth, class Forgotten>
  Value& use(const Key& key, Worth&& worth, Forgotten&& forgotten) {
    const auto found = places_.find(key);
    if (found != places_.end()) {
      order_.splice(order_.end(), order_, found->second);
      return found->second->second;
    }
    if (places_.size() >= entries_max_) {
      auto least = order_.begin();
      auto next = order_.begin();
      for (std::size_t i = 0; i < looked_at && next != order_.end(); ++i, ++next) {
        if (worth(next->second) < worth(least->second)) least = next;
      }
      forgotten(least->second);
      places_.erase(least->first);
      order_.erase(least);
    }
    order_.emplace_back(key, Value());
    places_.emplace(key, std::prev(order_.end()));
    return order_.back().second;
  }

  void erase(const Key& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return;
    order_.erase(found->second);
    places_.erase(found);
  }

  // `visit(key, value)` for each, in the order of their last use; the value may be changed.
  template <class Visit>
  void each(Visit&& visit) {
    for (auto& [key, value] : order_) visit(key, value);
  }

  std::size_t size() const { return places_.size(); }

 private:
  using Order = std::list<std::pair<const Key, Value>>;
  const std::size_t entries_max_;
  Order order_;  // used longest ago first
  std::unordered_map<Key, typename Order::iterator, Hash> places_;
};

}  // namespace postkeep::auth
