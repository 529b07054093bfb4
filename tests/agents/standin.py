"""A stand-in for the API of Claude Code's model: asks for one command, keeps what it is told of it, and is done."""
import http.server
import json
import threading


def events_of(request, command):
    """The answer's events: the command first, then the end."""
    asked = any(part.get("type") == "tool_result" for message in request["messages"]
                if isinstance(message["content"], list) for part in message["content"])
    call = not asked and any(tool.get("name") == "Bash" for tool in request.get("tools", []))
    block = {"type": "text", "text": ""}
    delta = {"type": "text_delta", "text": "done"}
    if call:
        block = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps({"command": command, "description": "try"})}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": request["model"], "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    return [{"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "tool_use" if call else "end_turn", "stop_sequence": None},
             "usage": {"output_tokens": 1}},
            {"type": "message_stop"}]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        self.answer(404, "application/json", b"{}")

    do_HEAD = do_GET

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        if not self.path.split("?")[0].endswith("/messages"):
            self.answer(200, "application/json", b'{"input_tokens":1}')
            return
        self.server.requests.append(request)
        text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
                       for event in events_of(request, self.server.tool_command))
        self.answer(200, "text/event-stream", text.encode())


class StandIn:
    def __init__(self, command):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.requests, self.server.tool_command = [], command
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def told(self):
        """All that the model was told after the command."""
        return json.dumps([request["messages"][-1] for request in self.server.requests if len(request["messages"]) > 1])
