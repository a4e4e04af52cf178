#include "auth/mechanisms.h"

#include <algorithm>
#include <array>

#include "protocol/base/ascii.h"

namespace postkeep::auth {

namespace {

constexpr std::string_view bound_suffix = "-PLUS";

template <ScramHash hash>
std::unique_ptr<Mechanism> make_bound_scram(const Circumstances& circumstances) {
  ScramBinding binding;
  binding.mode = ScramBinding::Mode::required;
  binding.bindings = circumstances.bindings;
  return make_scram(hash, std::move(binding));
}

// Defined below: they look into the table.
template <ScramHash hash>
std::unique_ptr<Mechanism> make_unbound_scram(const Circumstances& circumstances);

// In the order in which they are advertised: what a client should rather take comes first.
// clang-format off
constexpr std::array mechanism_table = {
    // name, first challenge, needs, checks by, binds, usual, make, documentation
    MechanismRow{"EXTERNAL", "", Channel::exposed, ChecksBy::certificate, Binds::nothing, true,
                 [](const Circumstances& c) { return make_external(*c.certificate); },
                 "The client's certificate, where `tls.client_ca` asks for one (RFC 4422)."},
    MechanismRow{"SCRAM-SHA-256-PLUS", "", Channel::exposed, ChecksBy::keys, Binds::channel, true,
                 make_bound_scram<ScramHash::sha_256>,
                 "SCRAM-SHA-256 that notices whoever stands between (RFC 7677, 9266)."},
    MechanismRow{"SCRAM-SHA-1-PLUS", "", Channel::exposed, ChecksBy::sha_1_keys, Binds::channel, true,
                 make_bound_scram<ScramHash::sha_1>,
                 "SCRAM-SHA-1 likewise (RFC 5802, 9266)."},
    MechanismRow{"SCRAM-SHA-256", "", Channel::exposed, ChecksBy::keys, Binds::nothing, true,
                 make_unbound_scram<ScramHash::sha_256>,
                 "A proof of the password, which does not travel (RFC 7677)."},
    MechanismRow{"SCRAM-SHA-1", "", Channel::exposed, ChecksBy::sha_1_keys, Binds::nothing, true,
                 make_unbound_scram<ScramHash::sha_1>,
                 "The same for clients that know nothing better (RFC 5802)."},
    MechanismRow{"PLAIN", "", Channel::confidential, ChecksBy::password, Binds::nothing, true,
                 [](const Circumstances&) { return make_plain(); },
                 "Name and password in one message (RFC 4616)."},
    MechanismRow{"LOGIN", "Username:", Channel::confidential, ChecksBy::password, Binds::nothing, true,
                 [](const Circumstances&) { return make_login(); },
                 "Name and password one after the other, for old clients."},
    MechanismRow{"CRAM-MD5", "", Channel::exposed, ChecksBy::digest, Binds::nothing, false,
                 [](const Circumstances& c) { return make_cram_md5(c.hostname); },
                 "A digest of the password, for old clients; only for users whose password is kept as PLAIN (RFC 2195)."},
    MechanismRow{"ANONYMOUS", "", Channel::exposed, ChecksBy::nothing, Binds::nothing, true,
                 [](const Circumstances&) { return make_anonymous(); },
                 "Anybody, as the user of `auth.anonymous_user` (RFC 4505)."},
};
// clang-format on
static_assert(mechanism_table.size() <= sizeof(MechanismSet) * 8);

MechanismSet bit_of(const MechanismRow& row) {
  return MechanismSet{1} << static_cast<unsigned>(&row - mechanism_table.data());
}

bool has_what_it_needs(const MechanismRow& row, const Circumstances& circumstances) {
  if ((circumstances.allowed & bit_of(row)) == 0) return false;
  if (row.binds == Binds::channel && circumstances.bindings.empty()) return false;
  switch (row.by) {
    case ChecksBy::keys:
      return circumstances.keys;
    case ChecksBy::sha_1_keys:
      return circumstances.sha_1_keys;
    case ChecksBy::certificate:
      return circumstances.certificate.has_value();
    case ChecksBy::nothing:
      return circumstances.anonymous;
    case ChecksBy::password:
    case ChecksBy::digest:
      break;
  }
  return true;
}

template <ScramHash hash>
std::unique_ptr<Mechanism> make_unbound_scram(const Circumstances& circumstances) {
  const MechanismRow* bound = find_mechanism(std::string(mechanism_of(hash)).append(bound_suffix));
  ScramBinding binding;
  if (has_what_it_needs(*bound, circumstances)) binding.mode = ScramBinding::Mode::possible;
  return make_scram(hash, std::move(binding));
}

}  // namespace

std::span<const MechanismRow> mechanisms() { return mechanism_table; }

const MechanismRow* find_mechanism(std::string_view name) {
  const auto row =
      std::ranges::find_if(mechanism_table, [&](const MechanismRow& r) { return ascii::iequals(r.name, name); });
  return row == mechanism_table.end() ? nullptr : &*row;
}

MechanismSet usual_mechanisms() {
  MechanismSet set = 0;
  for (const MechanismRow& row : mechanism_table) {
    if (row.is_usual) set |= bit_of(row);
  }
  return set;
}

MechanismSet mechanism_set(std::span<const std::string> names) {
  MechanismSet set = 0;
  for (const std::string& name : names) {
    if (const MechanismRow* row = find_mechanism(name)) set |= bit_of(*row);
  }
  return set;
}

Outcome check_usable(const MechanismRow& row, const Circumstances& circumstances) {
  if (!has_what_it_needs(row, circumstances)) {
    return failure(ErrorKind::cannot, "This authentication mechanism is not supported");
  }
  if (row.needs == Channel::confidential && circumstances.channel == Channel::exposed) {
    return failure(ErrorKind::privacy_required, "A password may not travel here without TLS");
  }
  return {};
}

std::vector<std::string_view> offered_mechanisms(const Circumstances& circumstances) {
  std::vector<std::string_view> names;
  for (const MechanismRow& row : mechanism_table) {
    if (check_usable(row, circumstances)) names.push_back(row.name);
  }
  return names;
}

}  // namespace postkeep::auth
