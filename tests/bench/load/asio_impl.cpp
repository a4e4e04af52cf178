// The one place where Asio's own sources are compiled for this program.
#include <asio/impl/src.hpp>
