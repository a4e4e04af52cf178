// Hashes that take no time.
#pragma once

#include "auth/password_hash.h"

namespace postkeep::test {

inline auth::HashCost cheap() {
  auth::HashCost cost;
  cost.argon2_memory_kib = 64;
  cost.argon2_iterations = 1;
  return cost;
}

}  // namespace postkeep::test
