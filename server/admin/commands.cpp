#include "server/admin/commands.h"

#include <algorithm>
#include <vector>

#include "server/admin/commands/rows.h"

namespace postkeep::admin {

namespace {

using Json = nlohmann::json;

std::vector<Command> all_rows() {
  std::vector<Command> rows;
  for (const std::span<const Command> some :
       {server_rows(), config_rows(), user_rows(), pw_rows(), mailbox_rows(), mail_rows(), deliver_rows(),
        transfer_rows(), live_rows(), ban_rows(), quota_rows(), doctor_rows(), document_rows()}) {
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return rows;
}

ErrorKind kind_from_string(std::string_view name) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::server_bug); ++kind) {
    if (to_string(static_cast<ErrorKind>(kind)) == name) return static_cast<ErrorKind>(kind);
  }
  return ErrorKind::server_bug;
}

Result<Json> run_request(Host& host, const Json& request) {
  const Command* command = TRY(requested_command(request));
  if (command->run == nullptr)
    return failure(ErrorKind::bad_syntax, "This command streams, and cannot be asked like that");
  return command->run(host, request["arguments"]);
}

}  // namespace

ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_syntax:
      return ExitCode::usage;
    case ErrorKind::not_found:
      return ExitCode::not_found;
    case ErrorKind::already_exists:
      return ExitCode::already_exists;
    case ErrorKind::in_use:
    case ErrorKind::over_quota:
    case ErrorKind::quota_reached:
    case ErrorKind::unavailable:
      return ExitCode::unavailable;
    default:
      return ExitCode::failed;
  }
}

void print_nothing(const nlohmann::json&, std::ostream&) {}

std::span<const Command> commands() {
  static const std::vector<Command> rows = all_rows();
  return rows;
}

const Command* find_command(std::string_view noun, std::string_view verb) {
  const auto row = std::ranges::find_if(
      commands(), [&](const Command& command) { return command.noun == noun && command.verb == verb; });
  return row == commands().end() ? nullptr : &*row;
}

std::string full_name(const Command& command) {
  return std::string(command.noun) + (command.verb.empty() ? "" : " " + std::string(command.verb));
}

Result<const Command*> requested_command(const Json& request) {
  if (!request.is_object() || !request.contains("arguments") || !request["arguments"].is_object()) {
    return failure(ErrorKind::bad_syntax, "A request is an object with a command and its arguments");
  }
  const std::string name = TRY(text_argument(request, "command"));
  const std::size_t space = name.find(' ');
  const Command* command =
      find_command(name.substr(0, space), space == std::string::npos ? std::string() : name.substr(space + 1));
  if (command == nullptr || command->here != nullptr) return failure(ErrorKind::bad_syntax, "There is no such command");
  return command;
}

Json to_answer(const Result<Json>& result) {
  if (result) return {{"result", *result}};
  const Error& error = result.error();
  return {{"error", {{"kind", to_string(error.kind)}, {"text", error.text}, {"detail", error.detail}}}};
}

Json handle_request(Host& host, const Json& request) {
  try {
    return to_answer(run_request(host, request));
  } catch (const std::exception& error) {  // a bug, or no memory: the server goes on
    return to_answer(failure(ErrorKind::server_bug, "The command failed unexpectedly", error.what()));
  }
}

Result<Json> read_answer(const Json& answer) {
  if (answer.is_object() && answer.contains("result")) return answer["result"];
  if (!answer.is_object() || !answer.contains("error") || !answer["error"].is_object()) {
    return failure(ErrorKind::unavailable, "The server's answer makes no sense");
  }
  const Json& error = answer["error"];
  return failure(kind_from_string(text_argument(error, "kind").value_or("")),
                 text_argument(error, "text").value_or("The command failed"),
                 text_argument(error, "detail").value_or(""));
}

Result<std::string> text_argument(const Json& arguments, std::string_view name) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || !found->is_string()) {
    return failure(ErrorKind::bad_syntax, std::string(name) + " is missing");
  }
  return found->get<std::string>();
}

Result<std::vector<std::string>> texts_argument(const Json& arguments, std::string_view name) {
  std::vector<std::string> texts;
  const auto found = arguments.find(name);
  if (found == arguments.end()) return texts;
  const auto wrong = [&] { return failure(ErrorKind::bad_syntax, std::string(name) + " must be a list of texts"); };
  if (!found->is_array()) return wrong();
  for (const Json& text : *found) {
    if (!text.is_string()) return wrong();
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

bool flag_argument(const Json& arguments, std::string_view name) {
  const auto found = arguments.find(name);
  return found != arguments.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace postkeep::admin
