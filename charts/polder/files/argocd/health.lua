-- How Argo CD sees any of Polder's kinds: they all have the conditions of kstatus.
-- It runs for every change of every object, and without Lua's standard libraries.
local status = obj.status or {}
if status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "waits for Polder to look at it"}
end
local is, ready = {}, {}
for _, condition in ipairs(status.conditions or {}) do
  is[condition.type] = condition.status == "True"
  if condition.type == "Ready" then ready = condition end
end
local health = {status = "Progressing", message = ready.message or "has no condition Ready yet"}
if is.Ready then
  health.status = "Healthy"
elseif is.Stalled or ready.reason == "LastRunFailed" then
  health.status = "Degraded"
elseif ready.reason == "Suspended" then
  -- Argo CD goes on to the next wave, and to the next commit, only past what is Healthy: a Domain in a
  -- wave would hold up the very commit that resumes it. Its workloads tell that they are suspended.
  local annotations = obj.metadata.annotations or {}
  local holds_up = obj.kind == "Domain" and annotations["argocd.argoproj.io/sync-wave"] ~= nil
  health.status = holds_up and "Healthy" or "Suspended"
end
if ready.reason and not is.Ready then
  health.message = ready.reason .. ": " .. health.message
end
return health
