#include "protocol/mime/entity_header.h"

#include <algorithm>
#include <array>

#include "protocol/base/ascii.h"

namespace postkeep::mime {
namespace {

// RFC 2045 §5.1 token, and "/" for the likes of "text/plain/format".
bool is_type_char(char c) {
  return c > ' ' && c < '\x7F' && std::string_view("()<>@,;:\\\"[]?=").find(c) == std::string_view::npos;
}

void set_default_type(DefaultType default_type, Part& part) {
  const bool text = default_type == DefaultType::text_plain;
  part.type = text ? "text" : "message";
  part.subtype = text ? "plain" : "rfc822";
}

void read_content_type(std::string_view value, DefaultType default_type, Part& part) {
  ParameterisedValue parsed = parse_parameterised(value);
  part.parameters = std::move(parsed.parameters);
  const std::size_t slash = parsed.value.find('/');
  const std::string type = parsed.value.substr(0, slash);
  const std::string subtype = slash == std::string::npos ? std::string() : parsed.value.substr(slash + 1);
  if (!ascii::all(type, is_type_char)) return set_default_type(default_type, part);
  if (subtype.empty()) {
    // "Content-Type: text", as 1990s mailers wrote; RFC 2045 §5.2 would have all of them be text/plain.
    if (type != "multipart") return set_default_type(default_type, part);
    part.type = type;
    part.subtype = "mixed";
    return;
  }
  if (!ascii::all(subtype, is_type_char)) return set_default_type(default_type, part);
  part.type = type;
  part.subtype = subtype;
}

// The word of a Content-Transfer-Encoding field, comments and trailing junk removed.
std::string encoding_word(std::string_view value) {
  std::string word = parse_parameterised(value).value;
  std::erase(word, '"');
  return word.empty() ? "7bit" : word;
}

std::vector<std::string> read_languages(std::string_view value) {
  std::vector<std::string> languages;
  std::string tag;
  int comment = 0;
  const auto end_tag = [&] {
    if (!tag.empty() && languages.size() < limits::languages_max) languages.push_back(std::move(tag));
    tag.clear();
  };
  for (const char c : value) {
    if (c == '(') ++comment;
    if (c == ')' && comment > 0) {
      --comment;
    } else if (comment == 0) {
      if (c == ',') {
        end_tag();
      } else if (!ascii::is_wsp(c) && c != '\r' && c != '\n') {
        tag += c;
      }
    }
  }
  end_tag();
  return languages;
}

constexpr std::size_t object_octets = 100;  // about what an entry of a list costs beside its text

std::size_t octets_of(const std::vector<Parameter>& parameters) {
  std::size_t sum = 0;
  for (const Parameter& p : parameters) sum += p.name.size() + p.value.size() + object_octets;
  return sum;
}

std::size_t octets_of(const std::optional<std::string>& text) { return text ? text->size() : 0; }

std::size_t octets_of(const AddressList& list) {
  std::size_t sum = 0;
  for (const Address& a : list) {
    sum += a.name.size() + a.route.size() + a.local_part.size() + a.domain.size() + object_octets;
  }
  return sum;
}

std::size_t octets_of(const Envelope& e) {
  return octets_of(e.date) + octets_of(e.subject) + octets_of(e.from) + octets_of(e.sender) + octets_of(e.reply_to) +
         octets_of(e.to) + octets_of(e.cc) + octets_of(e.bcc) + octets_of(e.in_reply_to) + octets_of(e.message_id);
}

}  // namespace

void read_entity_header(std::span<const HeaderField> fields, DefaultType default_type, Part& part) {
  set_default_type(default_type, part);
  if (const auto* field = find_field(fields, "Content-Type")) read_content_type(field->value, default_type, part);
  if (const auto* field = find_field(fields, "Content-Transfer-Encoding")) {
    part.encoding_name = encoding_word(field->value);
  }
  if (const auto* field = find_field(fields, "Content-ID")) part.id = unfold(field->value);
  if (const auto* field = find_field(fields, "Content-Description")) part.description = unfold(field->value);
  if (const auto* field = find_field(fields, "Content-MD5")) part.md5 = unfold(field->value);
  if (const auto* field = find_field(fields, "Content-Location")) part.location = unfold(field->value);
  if (const auto* field = find_field(fields, "Content-Language")) part.languages = read_languages(field->value);
  if (const auto* field = find_field(fields, "Content-Disposition")) {
    ParameterisedValue parsed = parse_parameterised(field->value);
    // A disposition that only has parameters is of an unknown kind: RFC 2183 §2.8 says attachment.
    if (parsed.value.empty()) parsed.value = "attachment";
    part.disposition = Disposition{std::move(parsed.value), std::move(parsed.parameters)};
  }
}

std::size_t description_octets(const Part& part) {
  std::size_t sum = object_octets + part.encoding_name.size() + part.subtype.size() + part.type.size();
  sum += octets_of(part.parameters) + octets_of(part.id) + octets_of(part.description) + octets_of(part.md5);
  sum += octets_of(part.location);
  for (const std::string& tag : part.languages) sum += tag.size() + object_octets;
  if (part.disposition) sum += part.disposition->type.size() + octets_of(part.disposition->parameters);
  if (part.envelope) sum += octets_of(*part.envelope);
  return sum;
}

std::size_t envelope_octets_max(std::span<const HeaderField> fields) {
  static constexpr std::array<std::string_view, 6> lists = {"from", "sender", "reply-to", "to", "cc", "bcc"};
  constexpr std::size_t copies = 3;  // Sender and Reply-To are taken from From where they are missing
  std::size_t sum = 0;
  for (const HeaderField& field : fields) {
    const bool is_list = std::any_of(lists.begin(), lists.end(),
                                     [&](std::string_view name) { return same_field_name(field.name, name); });
    // Each address takes at least one octet of its field, and so does each group, which has a start and an end.
    sum += field.value.size() * (is_list ? copies * (2 * object_octets + 1) : 1);
  }
  return sum;
}

void drop_description(Part& part) {
  Part bare;
  // A name that is itself too long to keep is one that nobody knows.
  constexpr std::size_t name_max = 100;
  if (part.type.size() <= name_max && part.subtype.size() <= name_max) {
    bare.type = std::move(part.type);
    bare.subtype = std::move(part.subtype);
  } else {
    bare.type = "application";
    bare.subtype = "octet-stream";
  }
  if (part.encoding_name.size() <= name_max) bare.encoding_name = std::move(part.encoding_name);
  bare.header = part.header;
  bare.body = part.body;
  bare.lines = part.lines;
  if (part.envelope) bare.envelope.emplace();
  part = std::move(bare);
}

}  // namespace postkeep::mime
