// Pooled: where small objects live that stay when the work in which they were made is over: what is known of each
// mailbox that somebody looks at. Among the memory of that work each would keep a page of 4 KiB from being given back.
// They are packed together instead, by size. What is freed is used again, and not given back: a kilobyte for each
// session that there ever was at one time.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <utility>
#include <vector>

namespace postkeep::storage {

// Thread-safe; lives as long as the process. What is larger than half a kilobyte goes to malloc.
std::pmr::memory_resource& pooled_memory();

// The allocator for containers and std::allocate_shared.
template <class T>
class Pooled {
 public:
  using value_type = T;
  Pooled() = default;
  template <class U>
  Pooled(const Pooled<U>&) noexcept {}  // NOLINT(google-explicit-constructor): as allocators convert

  T* allocate(std::size_t count) { return static_cast<T*>(pooled_memory().allocate(count * octets, alignof(T))); }
  void deallocate(T* place, std::size_t count) noexcept {
    pooled_memory().deallocate(place, count * octets, alignof(T));
  }
  friend bool operator==(const Pooled&, const Pooled&) { return true; }

 private:
  static constexpr std::size_t octets = sizeof(T);  // NOLINT(bugprone-sizeof-expression): T may be a pointer
};

template <class T>
using PooledVector = std::vector<T, Pooled<T>>;

template <class Key, class T>
using PooledMap = std::map<Key, T, std::less<>, Pooled<std::pair<const Key, T>>>;

template <class T, class... Arguments>
std::shared_ptr<T> make_pooled(Arguments&&... arguments) {
  return std::allocate_shared<T>(Pooled<T>(), std::forward<Arguments>(arguments)...);
}

}  // namespace postkeep::storage
