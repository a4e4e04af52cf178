// COMPRESS=DEFLATE. RFC 4978. Its row is a barrier: what was sent behind it before its reply would be read as
// compressed.
#include "server/imap/commands/handlers.h"

namespace postkeep::imap {

Answer run_compress(Context& context, CompressArgs) {
  if (context.connection.is_compressed()) co_return failure(ErrorKind::bad_syntax, "Compression is active already");
  if (context.settings().imap.compression == 0) co_return failure(ErrorKind::cannot, "Compression is switched off");
  context.next = Next::compress;
  co_return Completion("Compressed from here on");
}

server::Awaitable<void> start_compression(Context& context) {
  context.next = Next::read_command;
  co_await context.connection.flush();
  context.connection.start_deflate(static_cast<int>(context.settings().imap.compression));
}

}  // namespace postkeep::imap
