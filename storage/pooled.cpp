#include "storage/pooled.h"

#include <mutex>

namespace postkeep::storage {

namespace {

constexpr std::size_t pooled_octets_max = 512;
constexpr std::size_t chunk_blocks_max = 512;

// The pools of the standard library, one set for all threads: a set for each would leave the holes that this is to
// avoid.
class LockedPools final : public std::pmr::memory_resource {
 private:
  void* do_allocate(std::size_t octets, std::size_t alignment) override {
    const std::lock_guard lock(mutex_);
    return pools_.allocate(octets, alignment);
  }
  void do_deallocate(void* place, std::size_t octets, std::size_t alignment) override {
    const std::lock_guard lock(mutex_);
    pools_.deallocate(place, octets, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  std::mutex mutex_;
  std::pmr::unsynchronized_pool_resource pools_{std::pmr::pool_options{chunk_blocks_max, pooled_octets_max},
                                                std::pmr::new_delete_resource()};
};

}  // namespace

std::pmr::memory_resource& pooled_memory() {
#if defined(__SANITIZE_ADDRESS__)
  return *std::pmr::new_delete_resource();  // so that a use after the end is found
#else
  // Never destroyed: objects with a static lifetime may be in it.
  static LockedPools& pools = *new LockedPools();
  return pools;
#endif
}

}  // namespace postkeep::storage
