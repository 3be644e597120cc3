"""Runs a command on a pseudo-terminal: pseudo-terminal.py SCRIPT ENVIRONMENT COMMAND…

SCRIPT is JSON: a list of [what to wait for, what to type then]; a third text is a shell command that somebody else runs in between. ENVIRONMENT is JSON, too. What the terminal showed, and the exit code as JSON in the last line,
are written to standard output.
"""
import json
import os
import pty
import subprocess
import sys

script, env, command = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvpe(command[0], command, env)
shown = b""
start = 0
while True:
    while script and (found := shown.find(script[0][0].encode(), start)) >= 0:
        start = found + len(script[0][0].encode())
        _, typed, *others = script.pop(0)
        for other in others:
            subprocess.run(["sh", "-c", other], env=env, check=True, stdout=subprocess.DEVNULL)
        os.write(terminal, typed.encode())
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(shown)
print(json.dumps({"code": code, "left": len(script)}), end="")
