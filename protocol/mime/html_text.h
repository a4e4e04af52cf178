// The words of an HTML document, for previews: no tags, no scripts and styles, character references resolved. Not a
// renderer: what breaks lines becomes a space. Never fails; HTML may be cut or malformed anywhere. Linear.
#pragma once

#include <string>
#include <string_view>

namespace postkeep::mime {

// `html` is UTF-8; so is what comes out.
std::string html_to_text(std::string_view html);

}  // namespace postkeep::mime
