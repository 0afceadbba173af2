curl -X POST http://localhost:8000/ai/artifact/generate \
  -H "Authorization: Bearer <token>" \
  -H "Content-Type: application/json" \
  -d '{
    "notebook_id": "test123",
    "artifact_type": "quiz",
    "content": "Create quiz on cells",
    "options": {}
  }'
