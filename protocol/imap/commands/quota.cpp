#include "protocol/imap/commands/quota.h"

#include <algorithm>
#include <utility>

#include "protocol/imap/limits.h"

namespace postkeep::imap {

namespace {

// setquota-resource (RFC 9208 §7)
Result<ResourceLimit> parse_resource_limit(Cursor& cursor) {
  ResourceLimit limit;
  limit.resource = TRY(cursor.keyword());
  TRY(cursor.sp());
  limit.limit = TRY(cursor.number64());
  return limit;
}

// setquota-list; it may be empty.
Result<std::vector<ResourceLimit>> parse_resource_limits(Cursor& cursor) {
  std::vector<ResourceLimit> all;
  TRY(cursor.expect('('));
  if (cursor.accept(')')) return all;
  do {
    ResourceLimit next = TRY(parse_resource_limit(cursor));
    const auto is_next = [&](const ResourceLimit& other) { return other.resource == next.resource; };
    if (std::any_of(all.begin(), all.end(), is_next)) {
      return tl::unexpected<Error>(cursor.error("A resource stands twice"));
    }
    if (all.size() == limits::quota_resources_max) return tl::unexpected<Error>(cursor.error("Too many resources"));
    all.push_back(std::move(next));
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  return all;
}

}  // namespace

Result<GetQuotaArgs> parse_get_quota(Cursor& cursor) {
  GetQuotaArgs args;
  TRY(cursor.sp());
  args.root = TRY(cursor.astring());
  TRY(cursor.end());
  return args;
}

Result<SetQuotaArgs> parse_set_quota(Cursor& cursor) {
  SetQuotaArgs args;
  TRY(cursor.sp());
  args.root = TRY(cursor.astring());
  TRY(cursor.sp());
  args.resources = TRY(parse_resource_limits(cursor));
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
