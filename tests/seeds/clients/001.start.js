const response = await fetch('/ai/artifact/generate', {
  method: 'POST',
  headers: {
    'Content-Type': 'application/json',
    'Authorization': `Bearer ${token}`
  },
  body: JSON.stringify({
    notebook_id: 'session123',
    artifact_type: 'quiz',
    content: 'Create a quiz on photosynthesis',
    options: { num_questions: 5 }
  })
});

const { job_id } = await response.json();
console.log(`Job created: ${job_id}`);
