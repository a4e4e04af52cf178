// Breakages: what a store would do that forgets a sync, does two things in the wrong order or believes what it must
// not. Each is a file system between the store and the disk that leaves out, moves or repeats calls, so that the store
// itself needs no switches. tests/sim/breakage_test.cpp shows that the search catches every one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/file_system.h"
#include "tests/support/simulated_disk.h"

namespace postkeep::test {

struct Breakage {
  std::string name;
  std::string scenario;  // where to look first
  // The disk outlives the file system.
  std::unique_ptr<storage::FileSystem> (*make)(SimulatedDisk& disk);
};

const std::vector<Breakage>& breakages();
const Breakage& breakage(const std::string& name);  // which is there

}  // namespace postkeep::test
