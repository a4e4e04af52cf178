#include "server/runtime/quota_watch.h"

#include <chrono>
#include <memory>

#include "protocol/mail/date_time.h"
#include "server/metrics/metrics.h"

namespace postkeep::server {
namespace {

constexpr std::uint64_t warning_octets_max = 16 * 1024;

// Percent of a limit, rounded down, at most 1000; 0 without a limit. In floating point, since use * 100 may not fit.
unsigned percent_of(std::uint64_t used, std::optional<std::uint64_t> limit) {
  if (!limit || *limit == 0) return 0;
  const double percent = static_cast<double>(used) / static_cast<double>(*limit) * 100;
  return static_cast<unsigned>(std::min(percent, 1000.0));
}

std::string amount(std::uint64_t used, std::optional<std::uint64_t> limit, std::string_view unit) {
  std::string text = std::to_string(used) + ' ' + std::string(unit);
  if (limit) text += " of " + std::to_string(*limit);
  return text;
}

// RFC 5322; Auto-Submitted (RFC 3834 §5) keeps others from answering it.
std::string warning_message(const std::string& user, const storage::Quota& quota, unsigned level,
                            const std::string& hostname) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const UnixTime time{now.time_since_epoch().count()};
  const std::string percent = std::to_string(level) + "%";
  const std::string address = user.find('@') == std::string::npos ? user + '@' + hostname : user;
  return "From: Mail server <postmaster@" + hostname + ">\r\nTo: <" + address + ">\r\nSubject: Your mailbox is " +
         percent + " full\r\nDate: " + format_rfc5322_date(time) + "\r\nMessage-ID: <quota." +
         std::to_string(time.seconds) + '.' + next_session_id() + '@' + hostname +
         ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: 8bit\r\n\r\nYour mailbox has reached " +
         percent + " of what it may hold:\r\n\r\n  " + amount(quota.used.octets / 1024, {}, "KiB") +
         (quota.limits.octets ? " of " + std::to_string(*quota.limits.octets / 1024) + " KiB" : "") + "\r\n  " +
         amount(quota.used.messages, quota.limits.messages, "messages") +
         "\r\n\r\nWhen it is full, no more mail can be delivered to you. Please delete what you do not need.\r\n";
}

Outcome deliver_warning(storage::AccountStore& store, const std::string& text) {
  const storage::Mailbox inbox = TRY(store.find_mailbox(MailboxName::inbox()));
  std::vector<storage::AppendItem> items(1);
  items.front().message = TRY(store.begin_incoming(warning_octets_max));
  TRY(items.front().message->write(text));
  TRY(items.front().message->finish());
  TRY(store.append(inbox.id, items));
  return {};
}

}  // namespace

unsigned reached_level(const storage::Quota& quota, const std::vector<unsigned>& levels) {
  const unsigned percent = std::max(percent_of(quota.used.octets, quota.limits.octets),
                                    percent_of(quota.used.messages, quota.limits.messages));
  unsigned reached = 0;
  for (const unsigned level : levels) {
    if (percent >= level) reached = level;
  }
  return reached;
}

unsigned QuotaWatch::level(storage::AccountStore& store) const {
  const SettingsPtr settings = settings_.get();
  if (settings->quota.warn_at.empty()) return 0;
  const Result<storage::Quota> quota = store.quota();
  return quota ? reached_level(*quota, settings->quota.warn_at) : 0;
}

unsigned QuotaWatch::look(const std::string& user, storage::AccountStore& store, unsigned before) const {
  const SettingsPtr settings = settings_.get();
  if (settings->quota.warn_at.empty()) return 0;
  const Result<storage::Quota> quota = store.quota();
  if (!quota) return before;
  const unsigned now = reached_level(*quota, settings->quota.warn_at);
  if (now <= before) return now;
  log_.write(LogLevel::warn, "quota_warning",
             {{"user", user},
              {"percent", now},
              {"octets", quota->used.octets},
              {"limit_octets", quota->limits.octets.value_or(0)},
              {"messages", quota->used.messages},
              {"limit_messages", quota->limits.messages.value_or(0)}});
  metrics().quota_warnings.at(std::to_string(now)).add();
  if (!settings->quota.warn_by_mail) return now;
  const Outcome told = deliver_warning(store, warning_message(user, *quota, now, settings->hostname));
  if (!told) {
    log_.write(LogLevel::warn, "quota_warning_not_delivered",
               {{"user", user}, {"kind", to_string(told.error().kind)}, {"reason", told.error().detail}});
  }
  return now;
}

}  // namespace postkeep::server
