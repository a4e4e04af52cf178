// Opens everything that the server listens on, from the table of protocols, [listen] and [metrics], and from what the
// service manager passed. Used by server/app, before privileges are given up.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <vector>

#include "server/config/settings.h"
#include "server/metrics/endpoint.h"
#include "server/net/activation.h"
#include "server/net/listener.h"
#include "server/protocols.h"

namespace postkeep::server {

struct OpenListener {
  std::unique_ptr<Listener> listener;
  const Protocol* protocol;  // a row of protocols()
};

// A passed socket is for the protocol that it is named after, or "metrics"; one of another name for the protocol in
// whose key an address has its port or path. An address that a passed socket of the same protocol stands for is not
// opened. The endpoint gets those of [metrics]. Errors: those of Listener; cannot when a passed socket is for nobody,
// or when there is nothing to listen on.
Result<std::vector<OpenListener>> open_listeners(asio::io_context& io, MetricsEndpoint& endpoint,
                                                 const Settings& settings, std::vector<GivenSocket> given);

}  // namespace postkeep::server
