// Calls become the nodes of their functions; branches and loops get bodies of their own.
//
// Order is kept as the reference keeps it: nodes of the body without inputs wait for what the call waits for, and who
// waits for the call waits for the body's side effects. Stateful nodes of a function run even if nobody reads them.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "passes/pass.h"

namespace savedmodel {
namespace {

constexpr int kMaxDepth = 256;           // of calls within calls
constexpr size_t kMostCopied = 1 << 20;  // nodes and outputs of one plan: a chain of doubling calls or branches must end
constexpr size_t kFewControls = 8;       // that every node of a body may wait for itself

class Inliner {
 public:
  explicit Inliner(PassContext& context) : context_(context) {}

  absl::Status Run(Graph* graph, int depth) {
    SM_CHECK_ARGUMENT(depth < kMaxDepth, "functions call each other more than ", kMaxDepth, " deep, or recursively, which is not supported");
    bool found = true;
    for (int level = depth; found; ++level) {
      SM_CHECK_ARGUMENT(level < kMaxDepth, "functions call each other more than ", kMaxDepth, " deep, or recursively, which is not supported");
      found = false;
      std::vector<Node*> calls;
      for (const auto& node : graph->nodes()) {
        if (IsCall(*node) && node->error.ok()) calls.push_back(node.get());
      }
      absl::flat_hash_map<Output, Output> replaced;
      absl::flat_hash_map<const Node*, Node*> done;  // call -> node that stands for its end
      for (Node* call : calls) {
        absl::Status status = InlineOne(graph, call, &replaced, &done);
        if (!status.ok()) {
          call->error = status;  // told if a run needs the call
          continue;
        }
        found = true;
      }
      if (!done.empty()) {
        graph->ReplaceValues(replaced);
        for (const auto& node : graph->nodes()) {
          for (Node*& control : node->controls) {
            auto it = done.find(control);
            if (it != done.end()) control = it->second;
          }
        }
        for (Node*& node : graph->control_results) {
          auto it = done.find(node);
          if (it != done.end()) node = it->second;
        }
        graph->RemoveIf([&](const Node& node) { return done.contains(&node); });
      }
    }
    for (const auto& node : graph->nodes()) {
      if (node->error.ok() && node->bodies.empty()) {
        if (absl::Status status = AddBodies(node.get(), depth); !status.ok()) node->error = status;
      }
    }
    return absl::OkStatus();
  }

 private:
  static bool IsCall(const Node& node) {
    return node.Is("PartitionedCall") || node.Is("StatefulPartitionedCall") || node.Is("BatchFunction");
  }

  absl::Status InlineOne(Graph* graph, Node* call, absl::flat_hash_map<Output, Output>* replaced,
                         absl::flat_hash_map<const Node*, Node*>* done) {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<const Graph> body, context_.functions->Instantiate(call->attrs().Function("f")));
    if (body->args.size() != call->inputs.size() || body->results.size() != call->output_types.size()) {
      return absl::InvalidArgumentError(absl::StrCat("node \"", call->name, "\" calls ", call->attrs().Function("f").name, " with ",
                                                     call->inputs.size(), " arguments for ", call->output_types.size(), " results, it has ",
                                                     body->args.size(), " and ", body->results.size(),
                                                     ": InstantiateOptions.input_devices must have the same length as the number of arguments"));
    }
    for (size_t i = 0; i < body->results.size(); ++i) {
      const DataType type = TypeOf(body->results[i]);
      if (type != DataType::kInvalid && RemoveRef(type) != RemoveRef(call->output_types[i])) {
        return absl::InternalError(absl::StrCat("Output ", i, " of type ", DataTypeName(type), " does not match declared output type ",
                                                DataTypeName(call->output_types[i]), " for node ", call->name));
      }
    }
    for (size_t i = 0; i < body->args.size(); ++i) {
      SM_CHECK_ARGUMENT(RemoveRef(TypeOf(call->inputs[i])) == TypeOf({body->args[i], 0}) || TypeOf(call->inputs[i]) == DataType::kInvalid,
                        "node \"", call->name, "\": argument ", i, " is ", DataTypeName(TypeOf(call->inputs[i])), ", the function wants ",
                        DataTypeName(TypeOf({body->args[i], 0})));
    }
    SM_RETURN_IF_ERROR(Count(*body, *call));

    std::vector<Node*> map(body->size(), nullptr);
    absl::flat_hash_map<const Node*, size_t> arg_index;
    for (size_t i = 0; i < body->args.size(); ++i) arg_index[body->args[i]] = i;
    const std::string prefix = absl::StrCat(call->name, "/");
    for (const auto& node : body->nodes()) {
      if (arg_index.contains(node.get())) continue;
      Node* copy = graph->CopyNode(*node, prefix);
      map[node->id()] = copy;
      copy->from_call = true;
      if (copy->device.empty()) copy->device = call->device;
    }
    auto translate = [&](const Output& value) -> Output {
      auto it = arg_index.find(value.node);
      return it != arg_index.end() ? call->inputs[it->second] : Output{map[value.node->id()], value.index};
    };
    Node* end = graph->AddNode(absl::StrCat(prefix, "_end"), context_.catalog->Find("NoOp"), std::make_shared<const Attributes>(), {});
    end->controls = call->controls;
    std::vector<Node*> before = call->controls;  // what nodes of the body wait for
    if (before.size() > kFewControls) {
      Node* begin = graph->AddNode(absl::StrCat(prefix, "_begin"), end->info, end->attributes, {});
      begin->controls = std::exchange(before, {begin});
    }
    for (const auto& node : body->nodes()) {
      Node* copy = map[node->id()];
      if (copy == nullptr) continue;
      copy->inputs.reserve(node->inputs.size());
      copy->controls.reserve(node->controls.size() + before.size());
      for (const Output& input : node->inputs) copy->inputs.push_back(translate(input));
      for (const Node* control : node->controls) {
        if (map[control->id()] != nullptr) copy->controls.push_back(map[control->id()]);
      }
      if (!copy->Is("Const")) {
        for (Node* control : before) {
          if (std::find(copy->controls.begin(), copy->controls.end(), control) == copy->controls.end()) copy->controls.push_back(control);
        }
      }
      if (Kept(*node)) {
        copy->keep = true;
        end->controls.push_back(copy);
      }
    }
    for (const Node* node : body->control_results) {
      Node* copy = map[node->id()];
      if (copy != nullptr && std::find(end->controls.begin(), end->controls.end(), copy) == end->controls.end()) end->controls.push_back(copy);
    }
    for (size_t i = 0; i < body->results.size(); ++i) (*replaced)[{call, static_cast<int>(i)}] = translate(body->results[i]);
    if (call->keep || !body->control_results.empty()) end->keep = true;
    if (call->keep) {
      for (const Output& result : body->results) {
        const Output value = translate(result);
        if (std::find(end->controls.begin(), end->controls.end(), value.node) == end->controls.end()) end->controls.push_back(value.node);
      }
    } else if (body->control_results.empty()) {
      for (const Output& result : body->results) {
        Node* node = translate(result).node;
        if (std::find(end->controls.begin(), end->controls.end(), node) == end->controls.end()) end->controls.push_back(node);
      }
    }
    (*done)[call] = end;
    return absl::OkStatus();
  }

  // Before a body is copied.
  absl::Status Count(const Graph& body, const Node& by) {
    for (const auto& node : body.nodes()) copied_ += 1 + node->output_types.size();
    SM_CHECK_ARGUMENT(copied_ < kMostCopied, "inlining \"", by.name, "\" makes a graph of more than ", kMostCopied, " nodes and outputs");
    return absl::OkStatus();
  }

  // Side effects of a body. Nested calls are judged when their own turn comes.
  static bool Kept(const Node& node) {
    if (IsCall(node)) return node.Is("StatefulPartitionedCall") && !node.error.ok();
    return node.stateful() || node.Is("While") || node.Is("If") || node.Is("Case");
  }

  absl::Status AddBodies(Node* node, int depth) {
    std::vector<FunctionRef> functions;
    size_t skip = 0;  // inputs that are not arguments of the bodies
    if (node->Is("If") || node->Is("StatelessIf") || node->Is("_If")) {
      functions = {node->attrs().Function("then_branch"), node->attrs().Function("else_branch")};
      skip = 1;
    } else if (node->Is("Case") || node->Is("StatelessCase")) {
      functions = node->attrs().Functions("branches");
      skip = 1;
    } else if (node->Is("While") || node->Is("StatelessWhile") || node->Is("_While")) {
      functions = {node->attrs().Function("cond"), node->attrs().Function("body")};
    } else if (node->Is("For")) {
      functions = {node->attrs().Function("body")};
      skip = 3;
    } else if (node->Is("MapDefun")) {
      functions = {node->attrs().Function("f")};
    } else {
      return absl::OkStatus();
    }
    std::vector<std::shared_ptr<Graph>> bodies;
    for (const FunctionRef& function : functions) {
      SM_ASSIGN_OR_RETURN(std::shared_ptr<const Graph> loaded, context_.functions->Instantiate(function));
      const size_t wanted = node->inputs.size() - skip + (node->Is("For") ? 1 : 0);
      SM_CHECK_ARGUMENT(loaded->args.size() == wanted, "node \"", node->name, "\" (", node->op(), ") passes ", wanted, " arguments to ",
                        function.name, " which has ", loaded->args.size());
      const bool condition = bodies.empty() && node->num_outputs() == static_cast<int>(node->inputs.size()) && functions.size() == 2 && skip == 0;
      SM_CHECK_ARGUMENT(condition ? loaded->results.size() == 1 : loaded->results.size() == node->output_types.size(), "node \"", node->name,
                        "\" (", node->op(), ") takes ", condition ? 1 : node->output_types.size(), " results of ", function.name, " which has ",
                        loaded->results.size());
      for (size_t i = 0; !condition && i < loaded->results.size(); ++i) {
        const DataType type = TypeOf(loaded->results[i]);
        SM_CHECK_ARGUMENT(type == DataType::kInvalid || RemoveRef(type) == RemoveRef(node->output_types[i]), "node \"", node->name, "\": output ", i,
                          " is ", DataTypeName(node->output_types[i]), ", ", function.name, " gives ", DataTypeName(type));
      }
      SM_RETURN_IF_ERROR(Count(*loaded, *node));
      std::shared_ptr<Graph> body = CopyGraph(*loaded);
      for (const auto& inner : body->nodes()) inner->keep = inner->keep || Kept(*inner);
      for (Node* inner : body->control_results) inner->keep = true;
      SM_RETURN_IF_ERROR(Run(body.get(), depth + 1));
      RemoveUnreachable(body.get());
      bodies.push_back(std::move(body));
    }
    node->bodies = std::move(bodies);
    return absl::OkStatus();
  }

  PassContext& context_;
  size_t copied_ = 0;
};

}  // namespace

absl::Status InlineCalls(Graph* graph, PassContext& context) { return Inliner(context).Run(graph, 0); }

}  // namespace savedmodel
