#include "server/admin/completion.h"

#include <algorithm>

#include "server/admin/commands.h"
#include "server/admin/usage.h"

namespace postkeep::admin {

namespace {

using Kind = Parameter::Kind;
using Completes = Parameter::Completes;

bool takes_value(const Parameter& parameter) { return parameter.kind == Kind::option || parameter.kind == Kind::list; }

// What the words before the last one say.
struct LineSoFar {
  std::string_view noun;
  const Command* command = nullptr;  // once noun and verb are known
  std::vector<std::string> positionals;
  const Parameter* awaiting = nullptr;  // an option whose value comes next
  std::string config;

  void read(const std::string& word) {
    if (awaiting != nullptr) {
      if (awaiting->name == "config") config = word;
      awaiting = nullptr;
    } else if (word.starts_with('-')) {
      const Parameter* option = find_option(word);
      if (option != nullptr && takes_value(*option) && word.find('=') == std::string::npos) awaiting = option;
      if (word.starts_with("--config=")) config = word.substr(word.find('=') + 1);
    } else if (command != nullptr) {
      positionals.push_back(word);
    } else if (noun.empty()) {
      const auto all = nouns();
      const auto found = std::ranges::find(all, word);
      noun = found == all.end() ? std::string_view("?") : *found;
      command = find_command(noun, "");
    } else {
      command = find_command(noun, word);
    }
  }

  const Parameter* find_option(const std::string& word) const {
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    const auto is_it = [&](const Parameter& parameter) {
      const bool by_letter = parameter.letter != 0 && name == std::string{'-', parameter.letter};
      return by_letter || name == "--" + std::string(parameter.name);
    };
    for (const Parameter& parameter : global_options()) {
      if (is_it(parameter)) return &parameter;
    }
    if (command == nullptr) return nullptr;
    for (const Parameter* parameter : options_of(*command)) {
      if (is_it(*parameter)) return parameter;
    }
    return nullptr;
  }

  // The word that was given for the command's user.
  std::string user() const {
    const auto parameters = positionals_of(*command);
    for (std::size_t i = 0; i < std::min(parameters.size(), positionals.size()); ++i) {
      if (parameters[i]->completes == Completes::user) return positionals[i];
    }
    return "";
  }
};

class Completer {
 public:
  Completer(const LineSoFar& line, std::string_view typed, const RunForLines& run)
      : line_(line), typed_(typed), run_(run) {}

  Completion complete() {
    if (line_.awaiting != nullptr) {
      offer_values(*line_.awaiting);
    } else if (line_.noun.empty() && !typed_.starts_with('-')) {
      offer_nouns();
    } else if (line_.command == nullptr && !typed_.starts_with('-')) {
      for (const Command& command : commands()) {
        if (command.noun == line_.noun) offer(command.verb, command.help);
      }
    } else if (typed_.starts_with('-')) {
      offer_options();
    } else if (line_.command != nullptr) {
      offer_positionals();
    }
    return std::move(completion_);
  }

 private:
  void offer(std::string_view word, std::string_view help) {
    if (word.starts_with(typed_)) completion_.candidates.push_back({std::string(word), std::string(help)});
  }

  void offer_nouns() {
    for (const std::string_view noun : nouns()) {
      const Command* alone = find_command(noun, "");
      offer(noun, alone != nullptr ? std::string(alone->help) : noun_help(noun));
    }
  }

  void offer_options() {
    if (line_.command != nullptr) {
      for (const Parameter* parameter : options_of(*line_.command)) {
        offer("--" + std::string(parameter->name), parameter->help);
      }
    }
    for (const Parameter& parameter : global_options()) offer("--" + std::string(parameter.name), parameter.help);
  }

  void offer_positionals() {
    const auto parameters = positionals_of(*line_.command);
    std::size_t index = line_.positionals.size();
    const auto repeats = [](const Parameter* one) {
      return one->kind == Kind::rest || one->kind == Kind::optional_rest;
    };
    const auto rest = std::ranges::find_if(parameters, repeats);
    const auto rest_index = static_cast<std::size_t>(rest - parameters.begin());
    if (rest != parameters.end() && index > rest_index) {
      offer_values(**rest);
      index = rest_index + 1;  // what follows the rest may come now
    }
    if (index < parameters.size()) offer_values(*parameters[index]);
  }

  void offer_values(const Parameter& parameter) {
    for (std::string_view rest = parameter.choices; !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      offer(rest.substr(0, end), "");
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    switch (parameter.completes) {
      case Completes::nothing:
        break;
      case Completes::file:
        completion_.files = true;
        break;
      case Completes::user:
        offer_lines({"user", "list", "--names"});
        break;
      case Completes::mailbox:
        if (!line_.user().empty()) offer_lines({"mailbox", "list", line_.user(), "--names"});
        break;
      case Completes::command:
        offer_nouns();
        break;
    }
  }

  void offer_lines(std::vector<std::string> command) {
    if (!line_.config.empty()) command.insert(command.end(), {"--config", line_.config});
    for (const std::string& word : run_(command)) offer(word, "");
  }

  const LineSoFar& line_;
  const std::string_view typed_;
  const RunForLines& run_;
  Completion completion_;
};

constexpr std::string_view bash_script = R"sh(# bash completion for postkeep, made by `postkeep completion bash`.
_postkeep() {
  local words=() line=$COMP_LINE word index prefix="" tail IFS=$'\n'
  # What bash takes apart at ':', '=' and '@' is put together again.
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ ${#words[@]} -eq 0 || $line == [[:blank:]]* ]]; then
      line=${line#"${line%%[![:blank:]]*}"}
      words+=("$word")
    else
      words[-1]+=$word
    fi
    line=${line#"$word"}
  done
  tail=${words[-1]}
  for word in : = @; do
    [[ $COMP_WORDBREAKS == *"$word"* ]] && tail=${tail##*"$word"}
  done
  prefix=${words[-1]%"$tail"}
  COMPREPLY=()
  while IFS= read -r word; do
    if [[ $word == $'\t'* ]]; then
      compopt -o default
      continue
    fi
    word=${word%%$'\t'*}
    COMPREPLY+=("$(printf '%q' "${word#"$prefix"}")")
  done < <(command "${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _postkeep postkeep
)sh";

constexpr std::string_view zsh_script = R"sh(#compdef postkeep
# zsh completion for postkeep, made by `postkeep completion zsh`.
_postkeep() {
  local -a offered shown
  local line word files=""
  for line in "${(@f)$(command ${words[1]} complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)words[CURRENT]}" 2>/dev/null)}"; do
    word=${line%%$'\t'*}
    if [[ -n $word ]]; then
      offered+=("$word")
      shown+=("${line/$'\t'/  -- }")
    elif [[ -n $line ]]; then
      files=yes
    fi
  done
  if [[ -n $files ]]; then
    _files
  elif (( ${#offered} )); then
    compadd -l -d shown -a offered
  fi
}
if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
  _postkeep "$@"
else
  compdef _postkeep postkeep
fi
)sh";

constexpr std::string_view fish_script = R"sh(# fish completion for postkeep, made by `postkeep completion fish`.
function __postkeep_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (command $words[1] complete -- $words[2..-1] 2>/dev/null)
        if string match -q -- \t'*' $line
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c postkeep -f -a '(__postkeep_complete)'
)sh";

}  // namespace

Completion complete(const std::vector<std::string>& words, const RunForLines& run) {
  LineSoFar line;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) line.read(words[i]);
  const std::string typed = words.empty() ? "" : words.back();
  return Completer(line, typed, run).complete();
}

Result<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") return std::string(bash_script);
  if (shell == "zsh") return std::string(zsh_script);
  if (shell == "fish") return std::string(fish_script);
  return failure(ErrorKind::bad_syntax, "There is completion for bash, zsh and fish, not for " + std::string(shell));
}

}  // namespace postkeep::admin
