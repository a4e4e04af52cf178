#include "storage/maildir/name.h"

#include <doctest/doctest.h>

#include <set>

namespace postkeep::storage::maildir {
namespace {

std::uint8_t bits(std::initializer_list<SystemFlag> flags) {
  std::uint8_t all = 0;
  for (const SystemFlag flag : flags) all = static_cast<std::uint8_t>(all | static_cast<std::uint8_t>(flag));
  return all;
}

TEST_CASE("a name of ours is made and read back") {
  NameFlags flags;
  flags.system_bits = bits({SystemFlag::seen, SystemFlag::answered});
  flags.keyword_bits = 1 | 1 << 25;
  const FileName name =
      FileName::make("1700000000.M5P6V7Q8.mx.example", 1234, UidTag{UidValidity(0x64), Uid(0xfffffffe)}, flags);
  CHECK(name.to_string() == "1700000000.M5P6V7Q8.mx.example,S=1234,P=64-fffffffe:2,RSaz");
  const FileName read = FileName::parse(name.to_string()).value();
  CHECK(read == name);
  CHECK(read.time() == UnixTime{1700000000});
  CHECK(read.size() == 1234);
  CHECK(read.tag() == UidTag{UidValidity(0x64), Uid(0xfffffffe)});
}

TEST_CASE("every name is given back unchanged, whoever made it") {
  for (const std::string name : {
           "1700000000.V5.host",
           "1700000000.V5.host:2,",
           "1700000000.V5.host,U=12:2,FS",
           "a",
           "a:b",
           "a:1,x",
           "1.2.3,S=5,W=6:2,RS,extra",
           "1.2.3,S=5:2,S;dovecot",
           "no time at all,P=:2,",
           "x,,y=:2,T",
           ":2,S",
           "a:2",
           "1.2.3,S=1:2,AXZ",
       }) {
    CAPTURE(name);
    CHECK(FileName::parse(name).value().to_string() == name);
  }
}

TEST_CASE("dot files and the empty name are no messages") {
  CHECK(!FileName::parse(""));
  CHECK(!FileName::parse(".nfs0001"));
}

TEST_CASE("flags are written in ASCII order and each once") {
  CHECK(NameFlags::from_letters("SSRbaDTFPXx").letters() == "DFPRSTXabx");
  CHECK(NameFlags::from_letters("").letters().empty());
}

TEST_CASE("each letter means its flag") {
  CHECK(NameFlags::from_letters("D").system_bits == bits({SystemFlag::draft}));
  CHECK(NameFlags::from_letters("F").system_bits == bits({SystemFlag::flagged}));
  CHECK(NameFlags::from_letters("R").system_bits == bits({SystemFlag::answered}));
  CHECK(NameFlags::from_letters("S").system_bits == bits({SystemFlag::seen}));
  CHECK(NameFlags::from_letters("T").system_bits == bits({SystemFlag::deleted}));
  CHECK(NameFlags::from_letters("P").forwarded);
  CHECK(NameFlags::from_letters("c").keyword_bits == 4);
  CHECK(NameFlags::from_letters("X").unknown == "X");
}

TEST_CASE("a tag that is not well formed is no tag") {
  for (const std::string field : {"", "P=", "P=1", "P=1-", "P=-1", "P=0-1", "P=1-0", "P=1-100000000", "P=g-1",
                                  "P=1-1-1", "P=+1-1", "XP=1-1", "P=1-1 "}) {
    CAPTURE(field);
    CHECK(!FileName::parse("1.2.3," + field + ":2,").value().tag());
  }
  CHECK(FileName::parse("1.2.3,U=4,P=A-b:2,").value().tag() == UidTag{UidValidity(10), Uid(11)});
}

TEST_CASE("a tag is replaced where it stands, and added where there is none") {
  FileName name = FileName::parse("1.2.3,P=1-1,U=9:2,S").value();
  name.set_tag(UidTag{UidValidity(2), Uid(3)});
  CHECK(name.to_string() == "1.2.3,P=2-3,U=9:2,S");
  name = FileName::parse("1.2.3").value();
  name.set_tag(UidTag{UidValidity(2), Uid(3)});
  CHECK(name.to_string() == "1.2.3,P=2-3");
}

TEST_CASE("a flag change leaves the rest of a foreign name alone") {
  const NameFlags seen = NameFlags::from_letters("S");
  CHECK(with_flags("1.2.3", seen) == "1.2.3:2,S");
  CHECK(with_flags("1.2.3,U=5:2,FT,ext", seen) == "1.2.3,U=5:2,S,ext");
  CHECK(with_flags("1.2.3:1,experimental", seen) == "1.2.3:1,experimental");
}

TEST_CASE("a name without a number has no time") {
  CHECK(!FileName::parse("abc.1").value().time());
  CHECK(!FileName::parse("-5.1").value().time());
  CHECK(!FileName::parse("99999999999999999999.1").value().time());
  CHECK(FileName::parse("17").value().time() == UnixTime{17});
}

TEST_CASE("bases are distinct, carry the time, and are safe whatever the host is called") {
  const std::chrono::sys_time<std::chrono::microseconds> now{std::chrono::microseconds(1'700'000'000'000'042)};
  NameMaker maker("ma/il:ho,st\n" + std::string(300, 'h'));
  NameMaker other("");
  std::set<std::string> bases;
  for (int i = 0; i < 1000; ++i) {
    bases.insert(maker.make_base(now));
    bases.insert(other.make_base(now));
  }
  CHECK(bases.size() == 2000);
  const std::string base = maker.make_base(now);
  CHECK(base.starts_with("1700000000.M42P"));
  CHECK(base.find("ma_il_ho_st_hhh") != std::string::npos);
  CHECK(FileName::parse(base + ":2,").value().base == base);
  NameFlags all = NameFlags::from_letters("DFPRSTabcdefghijklmnopqrstuvwxyz");
  CHECK(FileName::make(base, ~0ULL, UidTag{UidValidity(~0U), Uid(~0U)}, all).to_string().size() <= 255);
}

}  // namespace
}  // namespace postkeep::storage::maildir
