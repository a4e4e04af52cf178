// See corpus.h.
#include "tests/bench/load/corpus.h"

#include <array>
#include <cstdio>
#include <vector>

namespace postkeep::bench {

namespace {

// SplitMix64. The standard's distributions differ between libraries, so there are none here.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }

 private:
  std::uint64_t state_;
};

constexpr std::size_t words_count = 4000;

std::vector<std::string> make_words() {
  static constexpr std::array<const char*, 24> syllables = {"ka", "ren", "to",  "mi",  "sel", "or", "da",  "vin",
                                                            "pe", "lu",  "gra", "non", "is",  "be", "tar", "el",
                                                            "fo", "ri",  "mun", "ca",  "den", "wo", "sha", "ti"};
  Random random(7);
  std::vector<std::string> words;
  for (std::size_t i = 0; i < words_count; ++i) {
    std::string word;
    for (std::size_t part = 0; part < 1 + random.below(3); ++part) word += syllables[random.below(syllables.size())];
    words.push_back(word);
  }
  return words;
}

// Some words are much more usual than others, as in any language.
const std::string& word(Random& random) {
  static const std::vector<std::string> words = make_words();
  const std::size_t range = 1 + random.below(words_count);
  return words[random.below(range)];
}

std::string text_lines(Random& random, std::size_t octets) {
  std::string text;
  std::size_t line = 0;
  while (text.size() < octets) {
    const std::string& next = word(random);
    if (line + next.size() > 70) {
      text += "\r\n";
      line = 0;
    }
    text += next;
    text += ' ';
    line += next.size() + 1;
  }
  return text + "\r\n";
}

std::string base64_lines(Random& random, std::size_t octets) {
  static constexpr const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  while (text.size() < octets) {
    for (int i = 0; i < 76; ++i) text += alphabet[random.below(64)];
    text += "\r\n";
  }
  return text;
}

std::string part(const std::string& boundary, const std::string& fields, const std::string& body) {
  return "--" + boundary + "\r\n" + fields + "\r\n" + body + "\r\n";
}

std::string html(Random& random, std::size_t octets) {
  std::string body = "<html><body>\r\n";
  while (body.size() < octets) body += "<p style=\"margin:0\">" + text_lines(random, 300) + "</p>\r\n";
  return body + "</body></html>\r\n";
}

std::string alternative(Random& random, const std::string& lead, const std::string& boundary) {
  const std::size_t size = 1500 + random.below(3000);
  return part(boundary, "Content-Type: text/plain; charset=utf-8\r\n", lead + text_lines(random, size)) +
         part(boundary, "Content-Type: text/html; charset=utf-8\r\n", html(random, size * 2)) + "--" + boundary +
         "--\r\n";
}

std::string with_attachment(Random& random, const std::string& lead, const std::string& boundary,
                            std::uint64_t number) {
  const std::string name = "report-" + std::to_string(number) + ".pdf";
  const std::string fields = "Content-Type: application/pdf; name=\"" + name +
                             "\"\r\nContent-Disposition: attachment; filename=\"" + name +
                             "\"\r\nContent-Transfer-Encoding: base64\r\n";
  return part(boundary, "Content-Type: text/plain; charset=us-ascii\r\n", lead + text_lines(random, 1200)) +
         part(boundary, fields, base64_lines(random, 6000 + random.below(38000))) + "--" + boundary + "--\r\n";
}

std::string quoted_printable(Random& random, const std::string& lead) {
  std::string body = lead;
  while (body.size() < 2500)
    body += text_lines(random, 60) + "Gr=C3=BC=C3=9Fe aus K=C3=B6ln =E2=80=94 d=C3=A9j=C3=A0 vu=\r\n, ";
  return body + "\r\n";
}

std::string forwarded(Random& random, const std::string& lead, const std::string& boundary) {
  const std::string inner =
      "From: Inner <inner@example.net>\r\nTo: outer@example.net\r\nSubject: Forwarded matter\r\n"
      "Date: Tue, 03 Feb 2026 08:00:00 +0000\r\nMessage-ID: <inner@example.net>\r\n\r\n" +
      text_lines(random, 2000);
  return part(boundary, "Content-Type: text/plain\r\n", lead) +
         part(boundary, "Content-Type: message/rfc822\r\n", inner) + "--" + boundary + "--\r\n";
}

std::string date(std::uint64_t number) {
  static constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::uint64_t minutes = number * 37;
  const std::uint64_t days = minutes / 1440;
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%02d %s %d %02d:%02d:00 +0000", static_cast<int>(days % 28) + 1,
                    months[days / 28 % 12], static_cast<int>(2020 + days / 336 % 7),
                    static_cast<int>(minutes / 60 % 24), static_cast<int>(minutes % 60));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string message_id(std::uint64_t number) { return "<bench." + std::to_string(number) + "@example.com>"; }

std::string header(Random& random, std::uint64_t number) {
  const std::uint64_t first = number - number % 5;
  const std::string sender = word(random);
  std::string text = "Return-Path: <" + sender +
                     "@example.com>\r\nReceived: from mx.example.com (mx.example.com [192.0.2.7])\r\n"
                     "\tby mail.example.org with ESMTPS id " +
                     std::to_string(random.next()) + ";\r\n\t" + date(number) + "\r\nFrom: " + sender + " " +
                     word(random) + " <" + sender + std::to_string(random.below(200)) + "@example.com>\r\nTo: list" +
                     std::to_string(number % 40) + "@example.org\r\nDate: " + date(number) +
                     "\r\nMessage-ID: " + message_id(number) + "\r\n";
  Random topic(first + 99);
  const std::string subject = word(topic) + " " + word(topic) + " " + word(topic);
  text += "Subject: " + std::string(number == first ? "" : "Re: ") + subject + "\r\n";
  if (number != first)
    text += "In-Reply-To: " + message_id(number - 1) + "\r\nReferences: " + message_id(first) + " " +
            message_id(number - 1) + "\r\n";
  return text + "User-Agent: Example/1.0\r\nMIME-Version: 1.0\r\n";
}

}  // namespace

std::string corpus_message(std::uint64_t seed, std::uint64_t number) {
  Random random(seed * 1000003 + number);
  std::string text = header(random, number);
  const std::string boundary = "=_" + std::to_string(random.next());
  std::string lead = number % 50 == 0 ? "" : std::string("The ") + common_word + " plays.\r\n";
  if (number % 1000 == 123) lead += std::string("Such ") + rare_word + " is seldom.\r\n";
  const std::size_t kind = random.below(100);
  const std::string parts = "; boundary=\"" + boundary + "\"\r\n\r\n";
  if (kind < 55)
    return text + "Content-Type: text/plain; charset=us-ascii\r\n\r\n" + lead +
           text_lines(random, 700 + random.below(3300));
  if (kind < 75) return text + "Content-Type: multipart/alternative" + parts + alternative(random, lead, boundary);
  if (kind < 90)
    return text + "Content-Type: multipart/mixed" + parts + with_attachment(random, lead, boundary, number);
  if (kind < 96) {
    return text + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
           quoted_printable(random, lead);
  }
  return text + "Content-Type: multipart/mixed" + parts + forwarded(random, lead, boundary);
}

std::string message_of_size(std::size_t octets, const std::string& id) {
  std::string text =
      "From: Sender <sender@example.com>\r\nTo: list@example.org\r\nSubject: A message of the benchmark\r\n"
      "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <" +
      id + "@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n";
  Random random(octets);
  static std::string body;
  if (body.size() < octets) body = text_lines(random, octets + 100);
  const std::size_t left = octets > text.size() + 2 ? octets - text.size() - 2 : 0;
  text.append(body, 0, left);
  // The cut may have left a lone CR, which no message may end with.
  if (text.back() == '\r') text.back() = '.';
  return text + "\r\n";
}

}  // namespace postkeep::bench
