// Parameterised header values: Content-Type, Content-Disposition. RFC 2045 §5.1, RFC 2183, RFC 2231.
// Called by mime/structure. Never fails: what cannot be a parameter is passed over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postkeep::mime {

// A value, decoded: quoting removed, RFC 2231 continuations joined.
struct Parameter {
  enum class Form {
    plain,     // octets as written (may hold encoded words or raw 8-bit octets)
    extended,  // the sender used RFC 2231 charset and %-encoding: the value is UTF-8
  };
  std::string name;  // lower case, without any "*"
  std::string value;
  Form form = Form::plain;
  bool operator==(const Parameter&) const = default;
};

struct ParameterisedValue {
  std::string value;  // "text/plain", "attachment": lower case, comments and white space removed
  std::vector<Parameter> parameters;
};

// `value` is what stands after the colon, folded or not.
ParameterisedValue parse_parameterised(std::string_view value);

// The first parameter of that (lower-case) name; nullptr if there is none.
const Parameter* find_parameter(const std::vector<Parameter>& parameters, std::string_view name);

}  // namespace postkeep::mime
