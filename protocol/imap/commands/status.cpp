#include "protocol/imap/commands/status.h"

#include <algorithm>
#include <array>

#include "protocol/base/ascii.h"

namespace postkeep::imap {
namespace {

struct ItemName {
  StatusItem item;
  std::string_view name;
};

constexpr std::array<ItemName, 11> item_names = {{
    {StatusItem::messages, "MESSAGES"},
    {StatusItem::uid_next, "UIDNEXT"},
    {StatusItem::uid_validity, "UIDVALIDITY"},
    {StatusItem::unseen, "UNSEEN"},
    {StatusItem::deleted, "DELETED"},
    {StatusItem::size, "SIZE"},
    {StatusItem::recent, "RECENT"},
    {StatusItem::highest_modseq, "HIGHESTMODSEQ"},
    {StatusItem::mailbox_id, "MAILBOXID"},
    {StatusItem::append_limit, "APPENDLIMIT"},
    {StatusItem::deleted_storage, "DELETED-STORAGE"},
}};

}  // namespace

std::string_view to_wire(StatusItem item) {
  for (const ItemName& known : item_names) {
    if (known.item == item) return known.name;
  }
  return {};
}

Result<std::vector<StatusItem>> parse_status_items(Cursor& cursor) {
  TRY(cursor.expect('('));
  std::vector<StatusItem> items;
  do {
    const std::string name = TRY(cursor.keyword());
    const auto known =
        std::find_if(item_names.begin(), item_names.end(), [&](const ItemName& i) { return i.name == name; });
    if (known == item_names.end()) return tl::unexpected<Error>(cursor.error("Unknown STATUS item"));
    if (std::find(items.begin(), items.end(), known->item) == items.end()) items.push_back(known->item);
  } while (cursor.accept(' '));
  TRY(cursor.expect(')'));
  return items;
}

Result<StatusArgs> parse_status(Cursor& cursor) {
  StatusArgs args;
  TRY(cursor.sp());
  args.mailbox = TRY(cursor.mailbox());
  TRY(cursor.sp());
  args.items = TRY(parse_status_items(cursor));
  TRY(cursor.end());
  return args;
}

}  // namespace postkeep::imap
