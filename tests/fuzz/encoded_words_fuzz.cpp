// decode_header_text and parse_parameterised: whatever the header says, text comes out as UTF-8.
#include "protocol/mime/encoded_words.h"
#include "protocol/mime/limits.h"
#include "protocol/mime/parameters.h"
#include "protocol/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value = fuzz::text_of(data, size);
  fuzz::require(text::is_valid_utf8(mime::decode_header_text(value)));
  const mime::ParameterisedValue parsed = mime::parse_parameterised(value);
  fuzz::require(parsed.parameters.size() <= mime::limits::parameters_max);
  for (const mime::Parameter& parameter : parsed.parameters) {
    fuzz::require(!parameter.name.empty() && parameter.name.find('*') == std::string::npos);
    const bool extended = parameter.form == mime::Parameter::Form::extended;
    fuzz::require(!extended || text::is_valid_utf8(parameter.value));
  }
  return 0;
}
