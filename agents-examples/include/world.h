/* world.h: ask models and tools. Include it instead of ask.h, which it brings; answers come to caxton_answered.
 *
 *     caxton_ask_model("fast", 60000);                     // which one, and for how many milliseconds
 *     caxton_model_says("system", "Answer briefly.");      // the talk, message by message
 *     caxton_model_said("user", caxton_get(message, "content"));
 *     caxton_model_end("'max_tokens':100");                // what else is asked, or ""
 *     caxton_end();                                        // before it perhaps caxton_context, as for every question
 *
 *     caxton_ask_tool("tool.fs", "read_text_file", 60000); // the agent, the tool
 *     caxton_put("'path':'style.md'");                     // its arguments
 *     caxton_tool_end();
 *     caxton_end();
 */
#ifndef CAXTON_WORLD_H
#define CAXTON_WORLD_H

#include "ask.h"

static int caxton_talk; /* messages of the talk that is being written */

/* Begin a question to a model of caxton.toml. */
CAXTON_UNUSED static void caxton_ask_model(const char *model, caxton_int64 timeout_ms) {
    caxton_ask("model", "request", timeout_ms);
    caxton_set("ontology", "caxton-model");
    caxton_content("{'action':'complete','model':"), caxton_string(model), caxton_put(",'messages':[");
    caxton_talk = 0;
}

/* One message of the talk; `content` is a JSON string. */
CAXTON_UNUSED static void caxton_model_said(const char *role, caxton_value content) {
    caxton_put(caxton_talk++ ? ",{'role':" : "{'role':"), caxton_string(role);
    caxton_put(",'content':"), caxton_json(content), caxton_put("}");
}

/* The same with a text of one's own. */
CAXTON_UNUSED static void caxton_model_says(const char *role, const char *text) {
    caxton_put(caxton_talk++ ? ",{'role':" : "{'role':"), caxton_string(role);
    caxton_put(",'content':"), caxton_string(text), caxton_put("}");
}

/* The talk is complete; `options` are more fields of the request, or nothing. */
CAXTON_UNUSED static void caxton_model_end(const char *options) {
    caxton_put("]"), caxton_put(*options ? "," : ""), caxton_put(options), caxton_put("}");
}

/* Begin a call of a tool; its arguments follow, the fields of an object. */
CAXTON_UNUSED static void caxton_ask_tool(const char *agent, const char *tool, caxton_int64 timeout_ms) {
    caxton_ask(agent, "request", timeout_ms);
    caxton_set("ontology", "caxton-tool");
    caxton_content("{'tool':"), caxton_string(tool), caxton_put(",'arguments':{");
}

/* The arguments are complete. */
CAXTON_UNUSED static void caxton_tool_end(void) { caxton_put("}}"); }

#endif
