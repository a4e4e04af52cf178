// Precompiled for server/ and its tests: <asio.hpp> costs 1.6 s a file otherwise, <nlohmann/json.hpp> 2 s.
#pragma once
#include <asio.hpp>
#include <nlohmann/json.hpp>

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
