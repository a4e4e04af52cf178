// Judge: looks at a disk that was switched on again, and says which promise is broken.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/sim/scenario.h"

namespace postkeep::test {

struct Tally {
  std::uint64_t cuts = 0;             // power cuts tried
  std::uint64_t recovery_cuts = 0;    // a second cut, while the machine was recovering from the first
  std::uint64_t survivals = 0;        // cuts x plans looked at
  std::uint64_t faults = 0;           // failing calls tried
  std::uint64_t recovery_faults = 0;  // failing calls while the machine was recovering
  std::vector<std::string> broken;    // each broken promise, in words

  void add(const Tally& other);
};

class Judge {
 public:
  // `where`: what was done to the disk, and how to do it again. All outlive the judge.
  Judge(const Scenario& scenario, const Knowledge& known, std::string where, Tally& tally)
      : scenario_(scenario), known_(known), where_(std::move(where)), tally_(tally) {}

  // Starts a machine on it, and looks at everything.
  void judge(std::unique_ptr<SimulatedDisk> disk);
  // What was found is what was told, or that and all of the step under way.
  void check_mail(const MailState& found);
  // The accounts work on: a new message gets a new UID and MODSEQ, a new mailbox another identity than any before, and
  // all is as before after a clean stop.
  void check_goes_on(Machine& machine, const MailState& found);
  // An error must say what kind of trouble the disk had.
  void check_error(const Error& error, int error_number);
  void broken(const std::string& what);

 private:
  void check_counters(const std::string& name, const KnownMailbox& found);
  const KnownMessage* ever_told(const std::string& name, Uid uid) const;
  bool was_there_without_uid(const std::string& name, const KnownMessage& message) const;
  bool add_mailbox(Machine& machine, MailState& expected);
  void check_tidy(SimulatedDisk& disk);

  const Scenario& scenario_;
  const Knowledge& known_;
  std::string where_;
  Tally& tally_;
};

// All users of a scenario.
std::vector<std::string> all_users(const Scenario& scenario);

}  // namespace postkeep::test
