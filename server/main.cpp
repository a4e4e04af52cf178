// The one program: `postkeep serve` and all admin commands (server/admin/commands.h has the table).
#include <iostream>

#include "server/admin/command_line.h"
#include "server/app.h"

int main(int argc, char** argv) {
  postkeep::admin::NearSide near{std::cin, std::cout, std::cerr, postkeep::server::run_server};
  return postkeep::admin::run_command_line(argc, argv, std::move(near));
}
