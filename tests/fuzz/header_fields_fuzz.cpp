// header_subset: what is listed and what is not are the whole header between them.
#include <string>
#include <vector>

#include "protocol/mime/header_fields.h"
#include "tests/fuzz/fuzz_input.h"

using namespace postkeep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view header = fuzz::text_of(data, size);
  const std::vector<mime::HeaderField> fields = mime::read_header(header);
  std::vector<std::string> names;
  for (const mime::HeaderField& field : fields) {
    fuzz::require(!field.name.empty() && field.whole.data() >= header.data());
    fuzz::require(field.whole.data() + field.whole.size() <= header.data() + header.size());
    fuzz::require(mime::unfold(field.value).size() <= field.value.size());
    if (names.size() < 8) names.emplace_back(field.name);
  }
  const std::string listed = mime::header_subset(header, names, mime::FieldSubset::listed);
  const std::string others = mime::header_subset(header, names, mime::FieldSubset::not_listed);
  const std::string all = mime::header_subset(header, {}, mime::FieldSubset::not_listed);
  fuzz::require(header.starts_with(all));
  fuzz::require(mime::header_subset(all, {}, mime::FieldSubset::not_listed) == all);
  const std::size_t blank = listed.size() + others.size() - all.size();  // the blank line is in both
  fuzz::require(blank <= 2);
  fuzz::require(mime::read_header(listed).size() + mime::read_header(others).size() == fields.size());
  return 0;
}
