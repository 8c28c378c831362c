#include "mask2former/backbone/checkpoint_activations.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

namespace mask2former {
namespace {

using Function = std::function<at::Tensor(const at::Tensor&)>;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct AutocastState {
  bool enabled = false;
  at::ScalarType dtype = at::kFloat;
  bool cache = false;
};

AutocastState GetAutocast(at::DeviceType device) {
  return {at::autocast::is_autocast_enabled(device),
          at::autocast::get_autocast_dtype(device),
          at::autocast::is_autocast_cache_enabled()};
}

void SetAutocast(at::DeviceType device, const AutocastState& state) {
  at::autocast::set_autocast_enabled(device, state.enabled);
  at::autocast::set_autocast_dtype(device, state.dtype);
  at::autocast::set_autocast_cache_enabled(state.cache);
}

class AutocastGuard {
 public:
  AutocastGuard(at::DeviceType device, const AutocastState& state)
      : device_(device), before_(GetAutocast(device)) {
    SetAutocast(device, state);
  }
  ~AutocastGuard() { SetAutocast(device_, before_); }
  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;

 private:
  const at::DeviceType device_;
  const AutocastState before_;
};

// How to compute it again.
struct Recipe : torch::CustomClassHolder {
  Function function;
  AutocastState autocast;
};

struct Checkpoint : torch::autograd::Function<Checkpoint> {
  // inputs: x, then the parameters.
  static at::Tensor forward(AutogradContext* context,
                            const c10::intrusive_ptr<Recipe>& recipe,
                            at::TensorList inputs) {
    context->save_for_backward(inputs.vec());
    context->saved_data["recipe"] = c10::IValue::make_capsule(recipe);
    return recipe->function(inputs[0]);
  }

  static variable_list backward(AutogradContext* context,
                                variable_list grad_outputs) {
    const auto recipe = c10::static_intrusive_pointer_cast<Recipe>(
        context->saved_data["recipe"].toCapsule());
    variable_list inputs = context->get_saved_variables();
    inputs[0] = inputs[0].detach().requires_grad_(inputs[0].requires_grad());

    const at::AutoGradMode grad_mode(true);
    at::Tensor output;
    {
      // Casts that the first call has cached belong to its graph.
      AutocastState autocast = recipe->autocast;
      autocast.cache = false;
      const AutocastGuard guard(inputs[0].device().type(), autocast);
      output = recipe->function(inputs[0]);
    }
    variable_list wanted;
    for (const at::Tensor& input : inputs) {
      if (input.requires_grad()) wanted.push_back(input);
    }
    const variable_list grads =
        torch::autograd::grad({output}, wanted, grad_outputs,
                              /*retain_graph=*/false, /*create_graph=*/false,
                              /*allow_unused=*/true);
    variable_list results(1 + inputs.size());  // None for the recipe.
    size_t next = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].requires_grad()) results[1 + i] = grads[next++];
    }
    return results;
  }
};

}  // namespace

at::Tensor CheckpointActivations(
    const std::function<at::Tensor(const at::Tensor&)>& function,
    const at::Tensor& x, const std::vector<at::Tensor>& parameters) {
  if (!at::GradMode::is_enabled()) return function(x);
  variable_list inputs = {x};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  auto recipe = c10::make_intrusive<Recipe>();
  recipe->function = function;
  recipe->autocast = GetAutocast(x.device().type());
  return Checkpoint::apply(recipe, at::TensorList(inputs));
}

}  // namespace mask2former
