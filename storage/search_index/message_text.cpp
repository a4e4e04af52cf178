#include "storage/search_index/message_text.h"

#include <string>

#include "protocol/mime/search_text.h"
#include "protocol/mime/structure.h"
#include "protocol/text/casemap.h"

namespace postkeep::storage {
namespace {

constexpr std::size_t piece_octets = 256 * 1024;

// A message of one piece is read once, whoever asks how often.
class Pieces {
 public:
  explicit Pieces(MessageReader& reader) : reader_(reader) {}

  template <class Take>
  Outcome each(Take&& take) {
    for (std::uint64_t offset = 0; offset < reader_.size(); offset += piece_.size()) {
      if (!has_all_) {
        piece_.clear();
        TRY(reader_.read(offset, piece_octets, piece_));
        if (piece_.empty()) break;
        has_all_ = piece_.size() >= reader_.size();
      }
      take(std::string_view(piece_));
    }
    return {};
  }

 private:
  MessageReader& reader_;
  std::string piece_;
  bool has_all_ = false;
};

}  // namespace

Result<IndexedText> read_text(MessageReader& reader) {
  Pieces pieces(reader);
  mime::StructureParser parser;
  TRY(pieces.each([&](std::string_view bytes) { parser.feed(bytes); }));
  const mime::Part root = parser.finish();
  IndexedText text;
  SignatureMaker signature;
  std::string folded;
  mime::SearchTextExtractor extractor(root, [&](mime::SearchArea area, std::string_view utf8) {
    folded.clear();
    text::fold_into(utf8, folded);
    signature.feed(folded);
    if (!text.whole) return;
    text.stored.text += folded;
    if (area == mime::SearchArea::header) text.stored.header_octets = text.stored.text.size();
    if (text.stored.text.size() <= stored_text_octets_max) return;
    text.whole = false;
    text.stored = StoredText();
  });
  TRY(pieces.each([&](std::string_view bytes) { extractor.feed(bytes); }));
  extractor.finish();
  text.signature = signature.finish();
  return text;
}

}  // namespace postkeep::storage
