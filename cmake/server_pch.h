// Precompiled for server/ alone: <asio.hpp> costs 1.6 s a file otherwise.
#pragma once
#include <asio.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>
